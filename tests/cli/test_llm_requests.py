"""`sse bench --llm`: the requests that a server gets, and the errors of their options."""

import json
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from llm_reports import llm_report
from running_demo import Demo
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from sseclient_cli.cli.llm_requests import of_step
from sseclient_cli.cli.options.load import MeasurementOptions
from sseclient_cli.cli.outcome import verdict_on
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.request.llm_body import LlmBodies
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.prompts import SyntheticPrompts
from sseclient_cli.request.target import Target
from sseclient_cli.request.token_count import TokenCount
from sseclient_cli.request.urls_file import WeightedUrl


def _bench(sse: InProcess, report: Path, *arguments: str) -> dict[str, Any]:
    code, out, err = sse("bench", *arguments, "--json", str(report), "--quiet", "--workers", "1")
    assert code == 0, out + err
    document: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return document


def test_synthetic_prompts_have_their_length_and_answers_their_limit(
    sse_in_process: InProcess, shared_demo: Demo, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{shared_demo.port}/v1/chat/completions?ttft=0&rate=0"
    lengths = ("--prompt-tokens", "30", "--output-tokens", "4", "--model", "m", "--prompt-seed", "7")
    report = _bench(sse_in_process, tmp_path / "r.json", url, "--llm", *lengths, "-n", "2", "--requests", "6")
    llm = report["llm"]
    # The demo server counts words.
    assert (report["requests"]["succeeded"], llm["input_tokens"], llm["output_tokens"]) == (6, 180, 24)
    assert llm["finish_reasons"] == {"length": 6}
    prompts = report["run"]["target"]["prompts"]
    assert (prompts["source"], prompts["tokens"], prompts["output_tokens"]) == ("synthetic", "30", "4")
    assert (prompts["model"], report["run"]["target"]["prompt_seed"], report["run"]["target"]["method"]) == (
        "m",
        "7",
        "POST",
    )


def test_conversations_of_a_file_carry_their_answers(
    sse_in_process: InProcess, shared_demo: Demo, tmp_path: Path
) -> None:
    turns = [
        {"from": "human", "value": "one two three"},
        {"from": "gpt", "value": "-"},
        {"from": "human", "value": "four"},
    ]
    (tmp_path / "chats.json").write_text(json.dumps([{"conversations": turns}] * 2))
    url = f"http://127.0.0.1:{shared_demo.port}/v1/chat/completions?ttft=0&rate=0"
    options = (
        "--values",
        str(tmp_path / "chats.json"),
        "--turns",
        "all",
        "--output-tokens",
        "5",
        "--system",
        "Be brief",
    )
    report = _bench(sse_in_process, tmp_path / "r.json", url, "--llm", *options, "-n", "1", "--requests", "4")
    assert [(turn["turn"], turn["succeeded"]) for turn in report["llm"]["turns"]] == [(1, 2), (2, 2)]
    assert report["llm"]["input_tokens"] == 2 * ((2 + 3) + (2 + 3 + 5 + 1))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--prompt", "Hi"), "--prompt needs --llm"),
        (("--tokenizer", "t.json"), "--tokenizer is for requests to an LLM: add --llm"),
        (("--llm", "--tokenizer", "{file}"), "prompts.csv is not a tokenizer.json"),
        (
            ("--llm", "-d", "{}", "--model", "m"),
            "--data is the whole body: leave out --model, or write it into the body",
        ),
        (("--llm", "--prompt", "Hi", "--prompt-tokens", "5"), "--prompt and --prompt-tokens exclude each other"),
        (("--llm", "--turns", "2", "--rate", "5"), "--turns needs slots that send one request after another"),
        (("--llm", "--turns", "all"), "--turns all needs a file of conversations"),
        (("--llm", "--extra-body", "[]"), "--extra-body is not a JSON object: write it like"),
        (("--llm", "--extra-body", "{"), "--extra-body is not JSON"),
        (("--llm", "openai-completions", "--system", "s"), "openai-completions has no --system prompt"),
        (("--llm", "openai-completions", "--turns", "2"), "openai-completions has no --turns"),
        (("--llm", "--prompt-tokens", "5:5"), "the spread must be less than the number of tokens"),
        (("--llm", "--output-tokens", "many"), "'many' is not a number of tokens: write it like 512, 1k or 512:64"),
        (("--llm", "--values", "{file}", "--prompt", "Hi"), "the file of --values has prompts: leave out --prompt"),
    ],
)
def test_wrong_options_are_refused_before_any_request(
    sse_in_process: InProcess, tmp_path: Path, options: tuple[str, ...], error: str
) -> None:
    (tmp_path / "prompts.csv").write_text("prompt\nHi\n")
    arguments = [option.replace("{file}", str(tmp_path / "prompts.csv")) for option in options]
    code, _, err = sse_in_process("bench", "http://127.0.0.1:9/v1/chat/completions", *arguments)
    assert code == 2
    assert error in " ".join(err.split())


def test_refusal_without_a_model_says_how_to_name_one(sse_in_process: InProcess, shared_demo: Demo) -> None:
    url = f"http://127.0.0.1:{shared_demo.port}/v1/nothing"
    code, _, err = sse_in_process("bench", url, "--llm")
    assert code == 3
    assert "the request names no model: add --model NAME" in " ".join(err.split())
    _, _, err = sse_in_process("bench", url, "--llm", "--model", "m")
    assert "names no model" not in " ".join(err.split())


def test_each_step_of_several_runs_has_its_own_words() -> None:
    bodies = LlmBodies(api=LlmApi.OPENAI_CHAT, prompts=SyntheticPrompts(TokenCount(9), "7"), seed="7")
    target = with_values([Target.parse("http://h/")], [WeightedUrl("http://h/")], llm=bodies)
    sent = [of_step(target, step).of_stream(0).body for step in range(3)]
    assert len(set(sent)) == 3
    assert sent[0] == target.of_stream(0).body
    assert sent[1] == of_step(target, 1).of_stream(0).body


def test_tokenizer_counts_what_the_server_does_not(
    sse_in_process: InProcess, shared_demo: Demo, tmp_path: Path
) -> None:
    tokenizer = Tokenizer(WordLevel({"?": 0}, unk_token="?"))  # each word is a token, as for the demo server
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.save(str(tmp_path / "t.json"))
    url = f"http://127.0.0.1:{shared_demo.port}/v1/chat/completions?ttft=0&rate=0"
    options = ("--tokenizer", str(tmp_path / "t.json"), "--output-tokens", "7", "-n", "1", "--requests", "3")
    report = _bench(sse_in_process, tmp_path / "counted.json", url, "--llm", *options)
    llm = report["llm"]
    assert (llm["counted_answers"], llm["tokenized_answers"], llm["output_tokens"]) == (3, 0, 21)

    silent = ("--extra-body", '{"stream_options": {"include_usage": false}}')
    report = _bench(sse_in_process, tmp_path / "silent.json", url, "--llm", *options, *silent)
    llm = report["llm"]
    assert (llm["counted_answers"], llm["tokenized_answers"], llm["output_tokens"]) == (0, 3, 21)
    assert llm["input_tokens"] is None
    assert report["run"]["plan"]["llm"]["tokenizer"] == str(tmp_path / "t.json")


def test_no_successful_request_is_exit_code_3_also_if_the_end_cut_others(
    sse_in_process: InProcess, shared_demo: Demo
) -> None:
    url = f"http://127.0.0.1:{shared_demo.port}/v1/chat/completions?ttft=0&error_after=3"
    code, _, err = sse_in_process("bench", url, "--llm", "-c", "2", "-z", "1s", "--quiet", "--workers", "1")
    assert (code, err) == (3, "sse: no request succeeded\n")


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        (MeasurementOptions(), 0, ""),
        (MeasurementOptions(strict=True), 6, "5 of 105 requests failed (--strict)"),
        (MeasurementOptions(max_failed_percent=5), 0, ""),
        (MeasurementOptions(max_failed_percent=4), 6, "5 of 105 requests failed, more than --max-failed 4%"),
    ],
)
def test_failed_requests_count_for_the_exit_code(options: MeasurementOptions, code: int, reason: str) -> None:
    assert verdict_on(llm_report(), options, has_summary=False) == (code, reason)


def test_a_refused_preflight_quotes_the_server(sse_in_process: InProcess, shared_demo: Demo) -> None:
    url = f"http://127.0.0.1:{shared_demo.port}/v1/chat/completions?refuse=1&retry_after=7"
    code, _, err = sse_in_process("bench", url, "--llm", "-c", "1", "-z", "1s", "--quiet")
    assert code == 3
    assert "Retry-After: 7" in err
    assert "the server says: injected by `refuse`" in err
    assert "--on-end" not in err
