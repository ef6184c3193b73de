"""Makes the requests of ``sse bench --llm`` from its options."""

from __future__ import annotations

import json
import secrets
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from sseclient_cli.cli.advice import NO_PATH
from sseclient_cli.cli.options.grouped import is_given
from sseclient_cli.cli.options.llm import LlmRequestOptions
from sseclient_cli.cli.options.values import ALL_TURNS
from sseclient_cli.errors import BadStatusError, UsageError

if TYPE_CHECKING:
    from sseclient_cli.payload.llm_api import LlmApi
    from sseclient_cli.request.llm_body import LlmBodies
    from sseclient_cli.request.prompts import ListedPrompts, Prompts
    from sseclient_cli.request.target import Target
    from sseclient_cli.request.values_file import Columns

_WITHOUT_MODEL = (400, 404, 422)
"""The statuses of APIs for a missing model."""

_WITHOUT_PATH = (404, 405)

_SOURCES = {"prompt": "--prompt", "prompt_tokens": "--prompt-tokens"}


def check_llm_requests(options: LlmRequestOptions, *, has_llm: bool, has_body: bool, has_rate: bool) -> None:
    """Raise UsageError for options without a request that has them."""
    given = [each.name for each in fields(options) if is_given(getattr(options, each.name))]
    if given and not has_llm:
        raise UsageError(f"{_name(given[0])} needs --llm")
    if given and has_body:
        raise UsageError(f"--data is the whole body: leave out {_name(given[0])}, or write it into the body")
    if has_rate and (options.turns or 1) > 1:
        raise UsageError("--turns needs slots that send one request after another: leave out --rate")
    if options.prompt is not None and options.prompt_tokens is not None:
        raise UsageError("--prompt and --prompt-tokens exclude each other: leave one out")


def demo_path_of(api: LlmApi) -> str:
    """Return the path of the bundled server for an API."""
    from sseclient_cli.request.llm_body import PATHS

    return next((f"/v1{path}" for path, of_path in PATHS.items() if of_path is api), "/v1/chat/completions")


def bodies_of(
    options: LlmRequestOptions, api: LlmApi, words: tuple[str, ...], url: str, prompts: ListedPrompts | None
) -> LlmBodies:
    """Return what makes the bodies of a run; ``prompts`` are those of its file. Raises UsageError."""
    from sseclient_cli.request.llm_body import LlmBodies, api_of

    # By default the words of each run differ: the server's prefix cache would know those of the run before.
    seed = str(secrets.randbits(32) if options.prompt_seed is None else options.prompt_seed)
    bodies = LlmBodies(
        api=api_of(url, api),
        prompts=_prompts(options, prompts, words, seed),
        model=options.model,
        system=options.system,
        output=options.output_tokens,
        extra={} if options.extra_body is None else _extra(options.extra_body),
        seed=seed,
    )
    bodies.check()
    return bodies


def file_prompts(name: str | None) -> tuple[ListedPrompts | None, Columns | None]:
    """Return the prompts of a file, and its columns unless it is one of conversations. Raises UsageError."""
    from sseclient_cli.request.prompts_file import is_conversations, prompts_of, read_conversations
    from sseclient_cli.request.values_file import read_values

    if name is None:
        return None, None
    if is_conversations(name):
        return read_conversations(name), None
    columns = read_values(name)
    return prompts_of(columns, name), columns


def asking(target: Target, bodies: LlmBodies) -> Target:
    """Return the target with the headers that its bodies require, unless they are given."""
    given = {name.lower() for name, _ in target.headers}
    required = (pair for pair in bodies.headers if pair[0].lower() not in given)
    return replace(target, headers=(*target.headers, *required))


def of_step(target: Target, step: int) -> Target:
    """Return the target of a step of several runs, with other words: the server's cache may know those before."""
    requests = target.per_stream
    if requests is None or requests.llm is None or not step:
        return target
    return replace(target, per_stream=requests.reseeded(f"{requests.llm.seed}/{step}"))


def notes_on(target: Target) -> tuple[str, ...]:
    """Return the notes on parts of the file of prompts that are not sent."""
    from sseclient_cli.request.prompts import MORE_TURNS

    llm = None if target.per_stream is None else target.per_stream.llm
    notes = () if llm is None else llm.prompts.notes
    return tuple(f"{note}; --turns all sends them" if note.startswith(MORE_TURNS) else note for note in notes)


def explain(error: BadStatusError, target: Target) -> None:
    """Add to a refusal that the URL has no path, or that the requests name no model, if that may be the reason."""
    llm = None if target.per_stream is None else target.per_stream.llm
    if llm is not None and error.status in _WITHOUT_PATH and target.parsed_url.path == "/":
        error.code = NO_PATH
        error.add_note(f"the URL has no path: write it like {target.redacted_url.rstrip('/')}{demo_path_of(llm.api)}")
    elif llm is not None and llm.model is None and "model" not in llm.extra and error.status in _WITHOUT_MODEL:
        error.add_note("the request names no model: add --model NAME if the server has several")


def words_of(tokenizer: str | None) -> tuple[str, ...]:
    """Return the words of synthetic prompts: each is one token. Raises UsageError for an unusable tokenizer."""
    from sseclient_cli.request.prompt_words import WORDS
    from sseclient_cli.request.tokenizer import TextTokenizer

    return WORDS if tokenizer is None else TextTokenizer(tokenizer).single(WORDS)


def _prompts(options: LlmRequestOptions, of_file: ListedPrompts | None, words: tuple[str, ...], seed: str) -> Prompts:
    from sseclient_cli.request.prompts import DEFAULT_PROMPT, ListedPrompts, Prompt, PromptSource, SyntheticPrompts

    for name, option in _SOURCES.items():
        if of_file is not None and getattr(options, name) is not None:
            raise UsageError(f"the file of --values has prompts: leave out {option}, or rename the column")
    turns = options.turns or 1
    if of_file is not None:
        return of_file.limited(turns)
    if turns == ALL_TURNS:
        raise UsageError("--turns all needs a file of conversations: give it with --values, or write --turns 3")
    if options.prompt_tokens is not None:
        return SyntheticPrompts(options.prompt_tokens, seed, turns, words)
    if options.prompt is not None:
        return ListedPrompts((Prompt((options.prompt,) * turns),), PromptSource.TEXT)
    return ListedPrompts((Prompt((DEFAULT_PROMPT,) * turns),), PromptSource.DEFAULT)


def _extra(text: str) -> dict[str, Any]:
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"--extra-body is not JSON: {exc}") from exc
    if not isinstance(extra, dict):
        raise UsageError("--extra-body is not a JSON object: write it like '{\"temperature\": 0}'")
    return extra


def _name(field: str) -> str:
    return f"--{field.replace('_', '-')}"
