"""Findings on the answers of an LLM: chunks that something on the way held back, and figures that are estimates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sseclient_cli.report.model import Finding, Report, Severity, finding
from sseclient_cli.report.requests_model import Llm

HELD_SHARE = 0.5
"""Chunks are held back if at least this share of them arrives in bursts ..."""

HELD_MS = 100
"""... and half of the bursts come after at least this pause: readers notice a text that stops for as long."""

LEAST_BURSTS = 3

ESTIMATED_SHARE = 0.05
"""Estimates above this share of the chunks are a finding."""


def llm_findings(report: Report) -> Iterator[Finding]:
    """Yield the findings."""
    requests, llm = report.requests, report.llm
    if requests is not None and requests.unfinished and not requests.ended:
        figures = {"requests": requests.unfinished, "duration_s": report.run.duration_s}
        yield finding("no-answer-ended", Severity.WARNING, figures)
    if llm is None:
        return
    held = held_back(llm)
    if held is not None:
        yield finding("chunks-held-back", Severity.WARNING, held)
    if llm.chunks and llm.chunks_estimated > ESTIMATED_SHARE * llm.chunks:
        share = round(llm.chunks_estimated / llm.chunks, 4)
        figures = {"share": share, "shares_connections": report.run.http2 is not None}
        yield finding("chunks-estimated", Severity.INFO, figures)


def held_back(llm: Llm) -> dict[str, Any] | None:
    """Return the figures of chunks that were held back; None if they were not.

    ``whole`` says that each answer arrived in one burst: then the pause before it is the whole answer.
    """
    chunks, pause = llm.burst_chunks, llm.burst_pause
    if chunks is None or pause is None or pause.p50_ms is None or chunks.count < LEAST_BURSTS:
        return None
    if chunks.sum < HELD_SHARE * llm.chunks or pause.p50_ms < HELD_MS:
        return None
    answers = sum(llm.apis.values())
    return {
        "chunks": chunks.p50,
        "pause_ms": pause.p50_ms,
        "share": round(chunks.sum / llm.chunks, 4),
        "whole": chunks.count <= answers,
        "first_token_ms": None if llm.first_token is None else llm.first_token.p50_ms,
    }
