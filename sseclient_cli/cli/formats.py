"""The formats of output files: by suffix, the function that renders each kind of document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

REPORT, COMPARISON, LIMIT_SEARCH, SWEEP, CHECK = "report", "comparison", "limit-search", "sweep", "check"
"""The kinds of documents, as in their field ``document``."""

_NAMES = {
    REPORT: "a report",
    COMPARISON: "a comparison",
    LIMIT_SEARCH: "a limit search",
    SWEEP: "a sweep",
    CHECK: "a check",
}

TEXT = ".txt"
_TEXT_SUFFIXES = frozenset({"", TEXT, ".log"})

_JSON = "report.read:to_json"

_RENDERERS: Mapping[str, Mapping[str, str]] = {
    ".json": dict.fromkeys(_NAMES, _JSON),
    ".html": {
        REPORT: "render.html.page:page",
        COMPARISON: "render.html.comparison_page:comparison_page",
        LIMIT_SEARCH: "render.html.limit_page:limit_page",
        SWEEP: "render.html.sweep_page:sweep_page",
    },
    ".csv": {REPORT: "render.export.timeline_csv:timeline_csv"},
    ".xml": {REPORT: "render.export.junit:junit"},
    ".hgrm": {REPORT: "render.export.hgrm:hgrm"},
    ".prom": {REPORT: "render.export.openmetrics:openmetrics"},
    TEXT: {
        REPORT: "render.terminal.summary:summary",
        COMPARISON: "render.terminal.comparison:comparison_view",
        LIMIT_SEARCH: "render.terminal.limit_view:limit_summary",
        SWEEP: "render.terminal.sweep_view:sweep_summary",
        CHECK: "render.terminal.check_view:check_view",
    },
}
"""Modules and functions below this package. They are imported when they render: ``sse --help`` must answer at once."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of one kind of document."""

    suffix: str
    function: str
    """The module and the function that render it."""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def render(self, document: Any) -> Any:
        """Return the document in this format: text, or what rich prints."""
        module, _, name = self.function.partition(":")
        render: Callable[..., str | RenderableType] = getattr(import_module(f"sseclient_cli.{module}"), name)
        return render(document, **self.arguments)


def format_of(path: Path, kind: str) -> Format:
    """Return the format of a file by its suffix. Raises UsageError for an unknown one."""
    suffix = path.suffix.lower() or (path.name.lower() if path.name.lower() in _RENDERERS else "")  # a file `.json`
    if suffix in _TEXT_SUFFIXES or _is_special(path):
        return format_named(TEXT, kind)
    return format_named(suffix, kind, path)


def format_named(suffix: str, kind: str, path: Path | None = None) -> Format:
    """Return the format with this suffix. Raises UsageError if this kind of document does not have it."""
    known = [each for each, renderers in _RENDERERS.items() if kind in renderers]
    if suffix not in known:
        raise UsageError(f"{path or suffix}: {_NAMES[kind]} has no form with this suffix: use {', '.join(known)}")
    return Format(suffix, _RENDERERS[suffix][kind], _latency_in(path) if suffix == ".hgrm" and path else {})


def _latency_in(path: Path) -> dict[str, str]:
    """Return the latency that a file name has: ``run.gap.hgrm``. Raises UsageError for an unknown one."""
    name = path.with_suffix("").suffix.removeprefix(".")
    if not name:
        return {}
    from sseclient_cli.render.export.hgrm import PATHS

    if name not in PATHS:
        known = ", ".join(PATHS)
        raise UsageError(f"{path}: no latency is named {name!r}: write NAME.hgrm, or one of {known} before the suffix")
    return {"latency_name": name}


def _is_special(path: Path) -> bool:
    """Return whether a path is stdout, a pipe or a device, whose name says nothing about the format."""
    return str(path) == "-" or (path.exists() and not path.is_file())
