"""``sse bench --from report.json``: the options of an earlier run, from its report.

Options on the command line override those of the report. A report has no secrets: those that the run needs must be
given again.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.request import RequestOptions
from sseclient_cli.errors import UsageError
from sseclient_cli.redaction import REDACTED
from sseclient_cli.run.plan import OnEnd

if TYPE_CHECKING:
    from sseclient_cli.report.run_model import Plan, Run, Target

_Group = TypeVar("_Group", LoadOptions, MeasurementOptions, RequestOptions, ConnectionOptions)

_CREDENTIALS = {"authorization": ("bearer", "bearer_env", "user"), "cookie": ("cookie",)}
"""The options that set a header whose value the report hides."""


class Options(NamedTuple):
    """The options of a run."""

    url: str
    load: LoadOptions
    measurement: MeasurementOptions
    request: RequestOptions
    connection: ConnectionOptions


def repeated(
    file: str,
    url: str | None,
    load: LoadOptions,
    measurement: MeasurementOptions,
    request: RequestOptions,
    connection: ConnectionOptions,
) -> Options:
    """Return the options of the run in this report, overridden by those given. Raises UsageError."""
    from sseclient_cli.report.read import from_json

    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeError) as exc:
        raise UsageError(f"cannot read the report {file}: {getattr(exc, 'strerror', None) or exc}") from exc
    run = from_json(text, file).run
    return Options(
        _url(run.target, url, file),
        _overlaid(load, _load(run, load)),
        _overlaid(measurement, _measurement(run.plan)),
        _request(run.target, request, file),
        _overlaid(connection, _connection(run)),
    )


def _overlaid(given: _Group, earlier: dict[str, Any]) -> _Group:
    """Return the options, with those of the earlier run where none is given."""
    unset = {each.name for each in fields(given) if getattr(given, each.name) == each.default}
    return replace(given, **{name: value for name, value in earlier.items() if name in unset})


def _url(target: Target, url: str | None, file: str) -> str:
    if url is not None:
        return url
    if target.bundled_server:
        # Its port was chosen for that run.
        _, _, path = target.url.removeprefix("http://").partition("/")
        return f"demo/{path}"
    if REDACTED in target.url:
        raise UsageError(f"{file} hides a secret in the URL {target.url}: give the URL too")
    return target.url


def _load(run: Run, given: LoadOptions) -> dict[str, Any]:
    plan = run.plan
    # Streams that are not replaced were opened at a rate. A given option excludes its alternative.
    opening = ("ramp_up_s", plan.ramp_up_s) if plan.refill else ("rate_per_s", plan.connections / plan.ramp_up_s)
    is_given = given.ramp_up_s is not None or given.rate_per_s is not None
    return {
        "connections": plan.connections,
        **({} if given.hold_s is not None else {"duration_s": plan.duration_s}),
        **({} if is_given else dict([opening])),
        "lifetime_s": plan.lifetime_s,
        "events": plan.events,
        "on_end": OnEnd(plan.on_end),
        "storm_s": plan.storm_s,
        "all_addresses": run.target.all_addresses,
        "no_preflight": run.preflight is None,
        "workers": str(run.workers),
    }


def _measurement(plan: Plan) -> dict[str, Any]:
    return {
        "warmup_s": plan.warmup_s,
        "timestamp": plan.timestamp.asked,
        "sequence": plan.sequence.asked,
        "fail_on_error_event": plan.counts_error_events,
    }


def _request(target: Target, given: RequestOptions, file: str) -> RequestOptions:
    if target.body_bytes is not None and given.data is None:
        raise UsageError(f"{file} does not contain the request body ({target.body_bytes:,} bytes): give it with --data")
    names = {line.partition(":")[0].strip().lower() for line in given.headers or ()}
    headers = list(given.headers or ())
    for name, value in target.headers:
        replaced_by = _CREDENTIALS.get(name.lower(), ())
        if name.lower() in names or any(getattr(given, option) is not None for option in replaced_by):
            continue
        if REDACTED in value:
            raise UsageError(f"{file} hides the value of the header {name}: give it with --header '{name}: VALUE'")
        headers.append(f"{name}: {value}")
    earlier = {"method": target.method, "any_content_type": target.any_content_type}
    return replace(_overlaid(given, earlier), headers=headers)


def _connection(run: Run) -> dict[str, Any]:
    target, plan = run.target, run.plan
    host, port = target.connect_to or ("", 0)
    return {
        "insecure": not target.certificates_checked,
        "ca_file": target.ca_file,
        "cert_file": target.cert_file,
        "key_file": target.key_file,
        "connect_to": f"{f'[{host}]' if ':' in host else host}:{port}" if host else None,
        "unix_socket": target.unix_socket,
        "source_address": ",".join(target.source_addresses) or None,
        "proxy": target.proxy or "",  # not one of the environment
        "timeout_s": target.head_timeout_s,
        "idle_timeout_s": plan.idle_timeout_s,
        "max_event_bytes": plan.max_event_bytes,
        "retry_statuses": ",".join(map(str, plan.retry_statuses)),
    }
