"""The first lines of the summary: target, duration, and whether the figures can be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.verdict import Trust, missing_workers, verdict
from sseclient_cli.report.model import Report

_STYLES = {Trust.TRUSTED: "green", Trust.SATURATED: "bold red", Trust.UNKNOWN: "yellow"}


def head(report: Report) -> Text:
    """Return the target and the duration."""
    run = report.run
    text = Text.assemble(
        (visible(f"{run.target.method} {run.target.url}{_more(len(run.urls) - 1)}", keep_lines=False), "bold"),
        f"{_formats(run.formats)}  {run.duration_s:.1f} s",
    )
    if run.interrupted:
        text.append("  interrupted: the report covers the part that ran", "yellow")
    elif run.aborted_by:
        words = f" of {run.plan.duration_s:g} s: ended early, because {run.aborted_by} failed"
        text.append(visible(words, keep_lines=False), "yellow")
    elif not run.incomplete and run.plan.requests is None and run.duration_s < 0.9 * run.plan.duration_s:
        text.append(f" of {run.plan.duration_s:g} s: no stream was left", "yellow")
    return text


def _formats(formats: Iterable[str]) -> str:
    return f" ({visible(', '.join(formats), keep_lines=False)})" if set(formats) - {"sse"} else ""


def _more(urls: int) -> str:
    return f" and {urls:,} more" if urls > 0 else ""


def verdict_lines(report: Report) -> list[Text]:
    """Return the verdict on the run, after a line on lost workers."""
    missing, found = missing_workers(report), verdict(report)
    text = Text(visible(found.sentence, keep_lines=False), _STYLES[found.trust])
    if found.advice:
        text.append(f" {found.advice}", "default not bold")
    return [*([Text(missing, "bold red")] if missing else []), text]
