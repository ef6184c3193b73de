"""The path of each stream of a recording on the server of its replay. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from sseclient_cli.client.recording import Header


def stream_paths(header: Header) -> list[str]:
    """Return the path and query of each recorded URL; for a second stream with the same one, its number: ``/2``."""
    paths: list[str] = []
    for number, url in enumerate(header.streams, start=1):
        path = _path(url)
        paths.append(f"/{number}" if path in paths else path)
    return paths


def stream_at(paths: list[str], path: str, query: str) -> int:
    """Return the number of the stream for a request, from 0: by path and query, then by path; else the first one."""
    wanted = f"{path}?{query}" if query else path
    if wanted in paths:
        return paths.index(wanted)
    return next((number for number, each in enumerate(paths) if each.partition("?")[0] == path), 0)


def _path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # a header that was edited
        return "/"
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
