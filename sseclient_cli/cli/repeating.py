"""``sse bench --from report.json``: the options of an earlier run, from its report.

Options on the command line override those of the report. A report has no secrets: those that the run needs must be
given again.
"""

from __future__ import annotations

from dataclasses import fields, replace
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sseclient_cli.cli.options.bad_clients import BadClientOptions, Slow, parse_share
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.grouped import is_given
from sseclient_cli.cli.options.llm import LlmOptions, LlmRequestOptions, parse_token_count
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.mcp import McpOptions
from sseclient_cli.cli.options.per_stream import PerStreamOptions
from sseclient_cli.cli.options.request import StreamRequestOptions
from sseclient_cli.cli.run_options import RunOptions
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.redaction import REDACTED
from sseclient_cli.request.prompts import PromptSource
from sseclient_cli.run.arrivals import Arrivals
from sseclient_cli.run.bad_clients import default_bad_at_s
from sseclient_cli.run.plan import OnEnd, default_ramp_up_s
from sseclient_cli.sse.stream_format import StreamFormat

if TYPE_CHECKING:
    from sseclient_cli.report.run_model import Plan, Prompts, Run, Target

_Group = TypeVar(
    "_Group",
    LoadOptions,
    MeasurementOptions,
    StreamRequestOptions,
    PerStreamOptions,
    ConnectionOptions,
    BadClientOptions,
    LlmRequestOptions,
    LlmOptions,
)

_CREDENTIALS = {"authorization": ("bearer", "bearer_env", "user"), "cookie": ("cookie",)}
"""The options that set a header whose value the report hides."""

_ALTERNATIVES = {"hold_s": "duration_s", "ramp_up_s": "rate_per_s", "rate_per_s": "ramp_up_s"}
"""A given option excludes the other one of the earlier run."""


def repeated(file: str, given: RunOptions) -> RunOptions:
    """Return the options of the run in this report, overridden by those given. Raises UsageError."""
    from sseclient_cli.report.read import from_json

    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeError) as exc:
        raise UsageError(f"cannot read the report {file}: {getattr(exc, 'strerror', None) or exc}") from exc
    run = from_json(text, file).run
    if run.plan.mcp is not None and given.mcp.mcp is None:
        tool = "" if run.plan.mcp.tool is None else " --tool NAME --args JSON"
        raise UsageError(
            f"{file} does not contain the arguments of its MCP requests: add --mcp {run.plan.mcp.method}{tool}"
        )
    earlier = _earlier(run)
    if given.load.on_end not in (None, OnEnd.RECONNECT):
        del earlier["retry_statuses"]  # only streams that reconnect have them
    if given.load.ramp_up_s is not None or given.load.arrivals is Arrivals.CONSTANT:
        del earlier["arrivals"], earlier["seed"]
    return given._replace(
        url=None if given.per_stream.urls_file is not None else _url(run.target, given.url, file),
        load=_overlaid(given.load, earlier),
        measurement=_overlaid(given.measurement, earlier),
        bad=_overlaid(given.bad, _bad_clients(run.plan)),
        request=replace(
            _overlaid(given.request, earlier), headers=_headers(run.target, given.request, given.mcp, file)
        ),
        per_stream=_overlaid(given.per_stream, {**earlier, "urls_file": None} if given.url is not None else earlier),
        connection=_overlaid(given.connection, earlier),
        llm=_overlaid(given.llm, _llm(run.plan)),
        llm_requests=_overlaid(given.llm_requests, _prompts(run.target.prompts, given, file)),
    )


def _overlaid(options: _Group, earlier: dict[str, Any]) -> _Group:
    """Return the options, with those of the earlier run where neither they nor their alternatives are given."""
    names = {each.name for each in fields(options)}
    taken = {name for name in names if is_given(getattr(options, name))}
    taken |= {_ALTERNATIVES[name] for name in taken if name in _ALTERNATIVES}
    return replace(options, **{name: value for name, value in earlier.items() if name in names - taken})


def _url(target: Target, url: str | None, file: str) -> str | None:
    if url is not None or target.urls_file is not None:
        return url
    if target.bundled_server:
        # Its port was chosen for that run.
        _, _, path = target.url.removeprefix("http://").partition("/")
        return f"demo/{path}"
    if REDACTED in target.url:
        raise UsageError(f"{file} hides a secret in the URL {target.url}: give the URL too")
    return target.url


def _earlier(run: Run) -> dict[str, Any]:
    """Return the options of a run, by name: the figures of its target and plan, then those with another form."""
    from sseclient_cli.run.executors.choice import worker_count  # imports the engine

    target, plan = run.target, run.plan
    host, port = target.connect_to or ("", 0)
    rate_per_s = plan.rate_per_s
    if rate_per_s is None and not plan.refill:
        # A report of an older version has no rate, and its ramp-up is rounded to 1 ms.
        rate_per_s = plan.connections / max(plan.ramp_up_s, 0.0005)
    return {
        **dict(target),
        **dict(plan),
        **_opening(plan, rate_per_s),
        "arrivals": None if plan.arrivals == Arrivals.CONSTANT.value else Arrivals(plan.arrivals),
        "on_end": OnEnd(plan.on_end),
        "no_preflight": run.preflight is None,
        "workers": None if run.workers == worker_count("auto", plan.connections) else str(run.workers),
        "timestamp": plan.timestamp.asked,
        "sequence": plan.sequence.asked,
        "fail_on_error_event": plan.counts_error_events,
        "stream_format": StreamFormat(target.stream_format),
        "insecure": not target.certificates_checked,
        "connect_to": f"{f'[{host}]' if ':' in host else host}:{port}" if host else None,
        "source_address": ",".join(target.source_addresses) or None,
        "proxy": target.proxy or "",  # not one of the environment
        "timeout_s": target.head_timeout_s,
        "retry_statuses": ",".join(map(str, plan.retry_statuses)) or None,
    }


def _bad_clients(plan: Plan) -> dict[str, Any]:
    """Return the options of the bad clients."""
    bad = plan.bad_clients
    if bad is None:
        return {}
    shares = {name: parse_share(share) for name, share in bad.shares.items()}
    slow = shares.pop(BadKind.SLOW.value, None)
    is_usual = isclose(bad.at_s, default_bad_at_s(plan.ramp_up_s, plan.duration_s), abs_tol=0.01)
    return {
        **shares,
        "slow": None if slow is None or bad.slow_bytes_per_s is None else Slow(slow, bad.slow_bytes_per_s),
        "bad_at_s": None if is_usual else bad.at_s,
    }


def _llm(plan: Plan) -> dict[str, Any]:
    """Return the options of requests to an LLM."""
    if plan.llm is None:
        return {}
    return {"llm": LlmApi(plan.llm.api), "slo": ", ".join(plan.llm.slo) or None, "tokenizer": plan.llm.tokenizer}


def _prompts(prompts: Prompts | None, given: RunOptions, file: str) -> dict[str, Any]:
    """Return the options of the prompts. Raises UsageError for a text that the report does not contain.

    Without the seed: the server's cache may know the prompts of the earlier run.
    """
    if prompts is None or given.request.data is not None:
        return {}
    options = given.llm_requests
    has_prompts = options.prompt is not None or options.prompt_tokens is not None or given.per_stream.values_file
    for is_missing, what, option in (
        (prompts.source == PromptSource.TEXT.value and not has_prompts, "the prompt", "--prompt"),
        (prompts.has_system and options.system is None, "the system prompt", "--system"),
        (bool(prompts.extra) and options.extra_body is None, "the members of --extra-body", "--extra-body"),
    ):
        if is_missing:
            raise UsageError(f"{file} does not contain {what}: give it with {option}")
    return {
        "model": prompts.model,
        "prompt_tokens": None if has_prompts or prompts.tokens is None else parse_token_count(prompts.tokens),
        "turns": prompts.turns if prompts.turns > 1 and given.load.rate_per_s is None else None,
        "output_tokens": None if prompts.output_tokens is None else parse_token_count(prompts.output_tokens),
    }


def _opening(plan: Plan, rate_per_s: float | None) -> dict[str, Any]:
    """Return the options that say how streams are opened. Values equal to a default follow from the other options."""
    if rate_per_s is not None:
        usual = int(rate_per_s * plan.duration_s)
        return {
            "ramp_up_s": None,
            "rate_per_s": rate_per_s,
            "connections": None if plan.connections == usual else plan.connections,
        }
    is_usual = isclose(plan.ramp_up_s, default_ramp_up_s(plan.connections, plan.duration_s), abs_tol=0.001)
    return {"ramp_up_s": None if is_usual else plan.ramp_up_s, "rate_per_s": None}


def _headers(target: Target, given: StreamRequestOptions, mcp: McpOptions, file: str) -> list[str]:
    """Return the headers of the run, with those given. Raises UsageError for what the report hides."""
    if target.body_bytes is not None and given.data is None and mcp.mcp is None:
        raise UsageError(f"{file} does not contain the request body ({target.body_bytes:,} bytes): give it with --data")
    if target.message_count and given.messages is None:
        raise UsageError(f"{file} does not contain the messages to the WebSocket: give them with --send")
    names = {line.partition(":")[0].strip().lower() for line in given.headers or ()}
    headers = list(given.headers or ())
    for name, value in target.headers:
        replaced_by = _CREDENTIALS.get(name.lower(), ())
        if name.lower() in names or any(getattr(given, option) is not None for option in replaced_by):
            continue
        if REDACTED in value:
            raise UsageError(f"{file} hides the value of the header {name}: give it with --header '{name}: VALUE'")
        headers.append(f"{name}: {value}")
    return headers
