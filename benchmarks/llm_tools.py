"""The load generators for LLMs: the command of each, the figures that it reports, and its names of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.llm_task import MODEL, PATH, PROMPT, Task
from benchmarks.llm_truth import QUANTILES, Quantile, interpolated, nearest_rank
from benchmarks.measuring import Figures
from benchmarks.packages import AIPERF, GUIDELLM, INFERENCE_PERF, VLLM

FIRST_TOKEN, TOKEN_GAP, TPOT = "first_token", "token_gap", "tpot"
NAMES = (FIRST_TOKEN, TOKEN_GAP, TPOT)
"""The figures of `sse bench`."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One load generator."""

    title: str
    command: Callable[[Task], list[str]]
    claims: Callable[[Path], Figures]
    """Makes figures from the files in the task's folder, by the names of `sse bench`, with `requests`."""
    terms: Mapping[str, str]
    """Its own names of the figures. A figure that it does not have is missing."""
    missing: Callable[[], str | None] = lambda: None
    """Why it cannot run here, if so."""
    left_out: int = 0
    """Requests that it sends before those that it measures."""
    quantile: Quantile = interpolated
    """How it takes a percentile."""


def _read(folder: Path, pattern: str) -> Any:
    found = sorted(folder.glob(pattern))
    if not found:
        raise RuntimeError("it wrote no report")
    return json.loads(found[-1].read_text())


def _percentiles(of: Mapping[str, Callable[[str], float | None]]) -> Figures:
    """Return the figures, given for each name the function that returns a percentile in milliseconds."""
    found = {f"{name}_{title}_ms": get(title) for name, get in of.items() for title in QUANTILES}
    return {name: value for name, value in found.items() if value is not None}


def _sse_command(task: Task) -> list[str]:
    sizes = ["-c", str(task.load.slots), "--requests", str(task.load.requests)]
    request = ["--llm", "openai-chat", "--model", MODEL, "--prompt", PROMPT]
    report = ["--json", str(task.folder / "report.json")]
    return [sys.executable, "-m", "sseclient_cli", "bench", task.url, *sizes, *request, *report]


def _sse_claims(folder: Path) -> Figures:
    report = _read(folder, "report.json")
    llm = report["llm"] or {}

    def get(name: str) -> Callable[[str], float | None]:
        return lambda title: (llm.get(name) or {}).get(f"{title}_ms")

    counts = {"requests": report["requests"]["succeeded"]}
    if llm.get("chunks"):
        counts["estimated_percent"] = 100 * llm["chunks_estimated"] / llm["chunks"]
    return {**counts, **_percentiles({name: get(name) for name in NAMES})}


def _aiperf_command(task: Task) -> list[str]:
    load = ["--concurrency", str(task.load.slots), "--request-count", str(task.load.requests)]
    prompts = ["--input-file", str(task.prompts("text")), "--custom-dataset-type", "single_turn"]
    # The demo server has neither; both would ask other ports of the machine.
    without = ["--no-server-metrics", "--no-gpu-telemetry", "--ui", "none"]
    counts = ["--tokenizer", str(task.tokenizer), "--use-server-token-count"]
    server = ["-m", MODEL, "-u", task.url, "--endpoint-type", "chat", "--streaming"]
    files = ["--artifact-dir", str(task.folder / "artifacts")]
    return [str(AIPERF.executable), "profile", *server, *load, *prompts, *counts, *without, *files]


def _aiperf_claims(folder: Path) -> Figures:
    report = _read(folder, "artifacts/profile_export_aiperf.json")
    tags = {FIRST_TOKEN: "time_to_first_token", TOKEN_GAP: "inter_chunk_latency", TPOT: "inter_token_latency"}

    def get(tag: str) -> Callable[[str], float | None]:
        return lambda title: report.get(tag, {}).get(title)

    count = report["request_count"]["avg"]
    return {"requests": count, **_percentiles({name: get(tag) for name, tag in tags.items()})}


def _guidellm_command(task: Task) -> list[str]:
    routes = {PATH: task.target.removeprefix("/")}
    backend = {"kind": "openai_http", "target": task.server, "model": MODEL, "api_routes": routes}
    return [
        *(str(GUIDELLM.executable), "run", "--disable-console"),
        *("--backend", json.dumps({**backend, "validate_backend": False})),
        *("--profile", f"kind=concurrent,streams={task.load.slots}"),
        *("--constraint", f"kind=max_requests,count={task.load.requests}"),
        *("--tokenizer", f"kind=hf_auto,model={task.tokenizer}"),
        *("--data", f"kind=json_file,path={task.prompts('text')}"),
        *("--output", f"kind=json,path={task.folder / 'report.json'}"),
    ]


def _guidellm_claims(folder: Path) -> Figures:
    metrics = _read(folder, "report.json")["benchmarks"][0]["metrics"]
    keys = {FIRST_TOKEN: "time_to_first_token_ms", TPOT: "inter_token_latency_ms"}

    def get(key: str) -> Callable[[str], float | None]:
        return lambda title: metrics[key]["successful"]["percentiles"].get(title)

    count = metrics["request_totals"]["successful"]
    return {"requests": count, **_percentiles({name: get(key) for name, key in keys.items()})}


def _vllm_command(task: Task) -> list[str]:
    # It insists on a path that ends with "chat/completions". The fragment is not sent.
    endpoint = task.target + (f"#{PATH}" if task.load.query else "")
    return [
        *(str(VLLM.executable), "bench", "serve", "--backend", "openai-chat", "--disable-tqdm"),
        *("--base-url", task.server, "--endpoint", endpoint, "--model", MODEL, "--tokenizer", str(task.tokenizer)),
        *("--dataset-name", "custom", "--dataset-path", str(task.prompts("prompt")), "--skip-chat-template"),
        *("--custom-output-len", "64", "--num-prompts", str(task.load.requests)),
        *("--max-concurrency", str(task.load.slots), "--percentile-metrics", "ttft,tpot,itl,e2el"),
        *("--metric-percentiles", "50,99", "--save-result", "--result-dir", str(task.folder)),
        *("--result-filename", "report.json"),
    ]


def _vllm_claims(folder: Path) -> Figures:
    report = _read(folder, "report.json")
    keys = {FIRST_TOKEN: "ttft", TOKEN_GAP: "itl", TPOT: "tpot"}

    def get(key: str) -> Callable[[str], float | None]:
        return lambda title: report.get(f"{title}_{key}_ms")

    return {"requests": report["completed"], **_percentiles({name: get(key) for name, key in keys.items()})}


def _inference_perf_command(task: Task) -> list[str]:
    # It appends the path to the base URL. A fragment is not sent.
    base = f"{task.url}#" if task.load.query else task.server
    stage = {"concurrency_level": task.load.slots, "num_requests": task.load.requests}
    config = {
        "api": {"type": "chat", "streaming": True},
        "data": {"type": "mock"},
        "load": {"type": "concurrent", "stages": [stage], "num_workers": 1, "worker_max_concurrency": 1000},
        "server": {"type": "vllm", "model_name": MODEL, "base_url": base, "ignore_eos": False},
        "tokenizer": {"pretrained_model_name_or_path": str(task.tokenizer)},
        "report": {"request_lifecycle": {"summary": True, "per_stage": False, "percentiles": [50, 99]}},
        "storage": {"local_storage": {"path": str(task.folder / "reports")}},
    }
    written = task.folder / "config.yml"
    written.write_text(json.dumps(config))  # JSON is YAML
    return [str(INFERENCE_PERF.executable), "--config_file", str(written)]


def _inference_perf_claims(folder: Path) -> Figures:
    successes = _read(folder, "reports/**/summary_lifecycle_metrics.json")["successes"]
    latency = successes["latency"]
    keys = {FIRST_TOKEN: "time_to_first_token", TOKEN_GAP: "inter_token_latency", TPOT: "time_per_output_token"}
    own_titles = {"p50": "median", "p99": "p99"}

    def get(key: str) -> Callable[[str], float | None]:
        values = latency[key]  # null without a token
        return lambda title: None if values is None else 1000 * values[own_titles[title]]

    return {"requests": successes["count"], **_percentiles({name: get(key) for name, key in keys.items()})}


def tools() -> Iterator[Tool]:
    """Yield all load generators, ours first."""
    own = f"sse bench {version('sseclient-cli')}"
    terms = {name: name for name in NAMES}
    yield Tool(own, _sse_command, _sse_claims, terms, left_out=1, quantile=nearest_rank)  # left out: the preflight
    yield Tool(
        AIPERF.title,
        _aiperf_command,
        _aiperf_claims,
        {FIRST_TOKEN: "Time to First Token", TOKEN_GAP: "Inter Chunk Latency (JSON only)", TPOT: "Inter Token Latency"},
        AIPERF.missing,
    )
    yield Tool(
        GUIDELLM.title,
        _guidellm_command,
        _guidellm_claims,
        {FIRST_TOKEN: "TTFT", TPOT: "ITL"},
        GUIDELLM.missing,
    )
    yield Tool(
        VLLM.title,
        _vllm_command,
        _vllm_claims,
        {FIRST_TOKEN: "TTFT", TOKEN_GAP: "ITL", TPOT: "TPOT"},
        VLLM.missing,
    )
    yield Tool(
        INFERENCE_PERF.title,
        _inference_perf_command,
        _inference_perf_claims,
        {FIRST_TOKEN: "time_to_first_token", TOKEN_GAP: "inter_token_latency", TPOT: "time_per_output_token"},
        INFERENCE_PERF.missing,
    )
