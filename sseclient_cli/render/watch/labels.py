"""Short labels that tell several streams apart. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from sseclient_cli.escaping import visible

MAX_LABEL_CHARS = 24
"""A label must leave room for the event on a line of 80 columns."""


def labels_of(urls: Sequence[str]) -> list[str]:
    """Return a label for each URL: the shortest part of it that differs from all others; empty for a single URL.

    Equal URLs also get a number.
    """
    if len(urls) == 1:
        return [""]
    parts: list[Callable[[str], str]] = [_host, _path, _host_and_path, str]
    labels = next((found for part in parts if _differ(found := [_cut(part(url)) for url in urls])), None)
    if labels is None:
        labels = [f"{number}:{_cut(_host_and_path(url))}" for number, url in enumerate(urls, 1)]
    return labels


def _differ(labels: list[str]) -> bool:
    return all(count == 1 for count in Counter(labels).values()) and all(labels)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _path(url: str) -> str:
    split = urlsplit(url)
    return f"{split.path}?{split.query}" if split.query else split.path


def _host_and_path(url: str) -> str:
    return _host(url) + _path(url)


def _cut(label: str) -> str:
    shown = visible(label, keep_lines=False)
    return shown if len(shown) <= MAX_LABEL_CHARS else "…" + shown[-(MAX_LABEL_CHARS - 1) :]
