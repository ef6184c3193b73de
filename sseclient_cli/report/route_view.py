"""How the load reached the server, in words: the preflight, redirects, addresses. Reads nothing but the document."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import urlsplit

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.report.findings import Document

MAX_ADDRESSES = 10
"""Addresses of a name that are listed; the rest is in the JSON."""


def route_notes(document: Document) -> list[Text]:
    """Return a line for each thing that a reader must know of the way to the server."""
    return [*_redirections(document), *_addresses(document), *_preflight(document)]


def _redirections(document: Document) -> list[Text]:
    run, streams = document["run"], document["streams"]
    url, redirections = run["target"]["redirected_to"], run["redirections"]
    if url is None:
        return []
    openings = streams["opened"] + streams["reconnected"]
    led = redirections[0]["streams"] if redirections else openings
    who = "the load" if led == openings else f"{led:,} of {openings:,} connections"
    line = f"redirected: {who} went to {visible(url, keep_lines=False)}"
    if len(redirections) > 1:
        line += ", the rest elsewhere (run.redirections in the JSON)"
    server = urlsplit(run["target"]["url"]).netloc
    is_elsewhere = any(urlsplit(each).netloc != server for each in (url, *(entry["url"] for entry in redirections)))
    return [Text(line, style="yellow" if is_elsewhere else "dim")]


def _addresses(document: Document) -> list[Text]:
    """Say which addresses of a name the connections went to, where it has several or its only one may be the fault."""
    run, lines = document["run"], []
    entries = sorted(run["addresses"], key=_name)
    for (host, _), group in groupby(entries, key=_name):
        known = list(group)
        used = [entry for entry in known if entry["connections"]]
        if len(known) > 1 and used:
            line = f"addresses: {visible(host, keep_lines=False)} has {len(known):,}; {_shares(used)}"
            if len(used) == 1 and not run["target"]["all_addresses"]:
                line += " (--all-addresses uses them all)"
            lines.append(Text(line, style="dim"))
        elif used and host not in ("", used[0]["address"]) and not document["streams"]["opened"]:
            lines.append(Text(f"addresses: {visible(host, keep_lines=False)} is {used[0]['address']}", style="dim"))
    return lines


def _shares(used: list[Document]) -> str:
    if len(used) == 1:
        return f"all {used[0]['connections']:,} connections went to {used[0]['address']}"
    shares = ", ".join(f"{entry['connections']:,} to {entry['address']}" for entry in used[:MAX_ADDRESSES])
    return f"connections: {shares}{' ...' if len(used) > MAX_ADDRESSES else ''}"


def _name(entry: Document) -> tuple[str, int]:
    return entry["host"] or "", entry["port"] or 0


def _preflight(document: Document) -> list[Text]:
    preflight = document["run"]["preflight"]
    if preflight is None:
        return []
    requests = preflight["requests"]
    what, them = ("1 request", "it") if requests == 1 else (f"{requests} requests", "them")
    return [Text(f"preflight: {what} before the run, not counted (--no-preflight skips {them})", style="dim")]
