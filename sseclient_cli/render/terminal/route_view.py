"""How the load reached the server, in words: preflight, proxy, redirects, addresses. Reads only the report."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import urlsplit

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import counted
from sseclient_cli.report.model import Report
from sseclient_cli.report.run_model import Address

MAX_URLS = 10
"""URLs listed; the JSON report has more."""

MAX_ADDRESSES = 10
"""Addresses listed per host name; the JSON report has all."""


def route_notes(report: Report) -> list[Text]:
    """Return one line for each fact about the route to the server."""
    return [
        *_urls(report),
        *_proxy(report),
        *_redirections(report),
        *_http2(report),
        *_addresses(report),
        *_preflight(report),
    ]


def _urls(report: Report) -> list[Text]:
    """Return a line for each URL of a file, those with failures first."""
    urls = sorted(report.run.urls, key=lambda each: -each.failed)
    lines = [
        Text.assemble(
            ("URL: ", "dim"),
            visible(each.url, keep_lines=False),
            (f"  {each.opened:,} opened", "dim"),
            (f"  {each.failed:,} failed", "red" if each.failed else "dim"),
        )
        for each in urls[:MAX_URLS]
    ]
    rest = len(urls) - MAX_URLS
    return [*lines, Text(f"URLs: {rest:,} more (run.urls in the report)", "dim")] if rest > 0 else lines


def _proxy(report: Report) -> list[Text]:
    url = report.run.target.proxy
    if url is None:
        return []
    return [Text(f"proxy: all connections went through {url}; the figures include it", style="yellow")]


def _redirections(report: Report) -> list[Text]:
    run, streams = report.run, report.streams
    url, redirections = run.target.redirected_to, run.redirections
    if url is None:
        return []
    openings = streams.opened + streams.reconnected
    led = redirections[0].streams if redirections else openings
    redirected = "the load" if led == openings else f"{led:,} of {openings:,} connections"
    line = f"redirected: {redirected} went to {visible(url, keep_lines=False)}"
    if len(redirections) > 1:
        line += ", the rest elsewhere (run.redirections in the report)"
    server = urlsplit(run.target.url).netloc
    is_elsewhere = any(urlsplit(each).netloc != server for each in (url, *(entry.url for entry in redirections)))
    return [Text(line, style="yellow" if is_elsewhere else "dim")]


def _http2(report: Report) -> list[Text]:
    http2 = report.run.http2
    if http2 is None:
        return []
    limit = http2.max_concurrent_streams
    allowed = "" if limit is None else f"; the server allows {limit:,}"
    connections = counted(http2.connections, "connection")
    line = f"HTTP/2: {connections}, at most {counted(http2.streams_per_connection, 'stream')} each{allowed}"
    return [Text(line, style="dim")]


def _addresses(report: Report) -> list[Text]:
    """Return which addresses of a host name were used, if it has several, or if no stream opened."""
    run, lines = report.run, []
    entries = sorted(run.addresses, key=_name)
    for (host, _), group in groupby(entries, key=_name):
        known = list(group)
        used = [entry for entry in known if entry.connections]
        if len(known) > 1 and used:
            line = f"addresses: {visible(host, keep_lines=False)} has {len(known):,}; {_shares(used)}"
            if len(used) == 1 and not run.target.all_addresses:
                line += " (use all with --all-addresses)"
            lines.append(Text(line, style="dim"))
        elif used and host not in ("", used[0].address) and not report.streams.opened:
            lines.append(Text(f"addresses: {visible(host, keep_lines=False)} is {used[0].address}", style="dim"))
    return lines


def _shares(used: list[Address]) -> str:
    if len(used) == 1:
        return f"all {used[0].connections:,} connections went to {used[0].address}"
    shares = ", ".join(f"{entry.connections:,} to {entry.address}" for entry in used[:MAX_ADDRESSES])
    return f"connections: {shares}{' ...' if len(used) > MAX_ADDRESSES else ''}"


def _name(entry: Address) -> tuple[str, int]:
    return entry.host or "", entry.port or 0


def _preflight(report: Report) -> list[Text]:
    preflight = report.run.preflight
    if preflight is None or report.run.plan.mcp is not None:  # it is then a part of the MCP requests before the run
        return []
    requests = preflight.requests
    what = "1 request" if requests == 1 else f"{requests} requests"
    return [Text(f"preflight: {what} before the run, not counted (skip with --no-preflight)", style="dim")]
