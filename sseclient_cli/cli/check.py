"""``sse check``: examine one event stream endpoint, and name the fix of each problem."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sseclient_cli.cli.demo import demo_url, is_demo, serving_demo
from sseclient_cli.cli.formats import CHECK
from sseclient_cli.cli.options.checking import DEFAULT_DURATION_S, CheckOptions, CheckOutputOptions
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.request import RequestOptions, Url
from sseclient_cli.cli.outputs import opened
from sseclient_cli.cli.request import requested, started_after
from sseclient_cli.errors import UsageError
from sseclient_cli.exit_codes import EXIT_UNMET

if TYPE_CHECKING:
    from sseclient_cli.check.doctor import Settings
    from sseclient_cli.report.check_model import CheckReport
    from sseclient_cli.request.target import Target

_ORIGIN = re.compile(r"https?://[^/?#@\s]+", re.IGNORECASE)


def check(
    url: Url,
    checks: CheckOptions,
    request: RequestOptions,
    connection: ConnectionOptions,
    output: CheckOutputOptions,
) -> int:
    """Check one event stream endpoint: headers, flush, heartbeat, replay, compression, CORS; each with its fix."""
    from contextlib import ExitStack

    from sseclient_cli.request.proxied import through_proxy

    _refuse_unused(connection)
    settings = _settings(checks, connection)
    with ExitStack() as stack:
        outputs = stack.enter_context(opened(output, CHECK))
        if is_demo(url):
            url = demo_url(stack.enter_context(serving_demo(http2=connection.http2)).url, url, "/stream")
        target = through_proxy(requested(url, request, connection), connection.proxy)
        if target.is_websocket:
            raise UsageError("`sse check` examines event streams: give an http:// or https:// URL")
        target = started_after(target, checks.last_event_id)
        with _progress(target, settings, quiet=output.quiet):
            report = _examined(target, settings)
        outputs.write(report)
    problems = report.counts.faults + (report.counts.warnings if checks.strict else 0)
    return EXIT_UNMET if problems else 0


def _refuse_unused(connection: ConnectionOptions) -> None:
    """Raise UsageError for options of a connection that a check does not have."""
    for value, name, reason in (
        (connection.idle_timeout_s, "--idle-timeout", "it measures silence"),
        (connection.retry_statuses, "--retry-status", "it shows such a response"),
    ):
        if value:
            raise UsageError(f"{name} has no effect on `sse check`: {reason}; leave it out")


def _settings(checks: CheckOptions, connection: ConnectionOptions) -> Settings:
    from sseclient_cli.check.catalogue import Check
    from sseclient_cli.check.doctor import Settings
    from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES

    if checks.origin is not None and not _ORIGIN.fullmatch(checks.origin):
        raise UsageError(f"--origin {checks.origin!r} is not an origin: write it like https://app.example.com")
    known = {each.said.name: each for each in Check}
    names = [name.strip() for names in checks.ignore or () for name in names.split(",")]
    for name in names:
        if name not in known:
            raise UsageError(f"--ignore {name!r} is not a check: use {', '.join(known)}")
    return Settings(
        duration_s=DEFAULT_DURATION_S if checks.duration_s is None else checks.duration_s,
        origin=checks.origin,
        ignored=frozenset(known[name] for name in names),
        max_event_bytes=connection.max_event_bytes or DEFAULT_MAX_EVENT_BYTES,
    )


def _examined(target: Target, settings: Settings) -> CheckReport:
    import asyncio

    from sseclient_cli.check.doctor import examine
    from sseclient_cli.report.check_build import check_report_of

    return check_report_of(asyncio.run(examine(target, settings)), target)


@contextmanager
def _progress(target: Target, settings: Settings, *, quiet: bool) -> Iterator[None]:
    """Show on a terminal that a check is under way."""
    from sseclient_cli.escaping import visible

    if quiet or not sys.stderr.isatty():
        yield
        return
    url = visible(target.redacted_url, keep_lines=False)
    sys.stderr.write(f"checking {url}, up to {settings.duration_s:g} s ...")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
