"""Builds the document of `sse check` from an examination."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from sseclient_cli import __version__
from sseclient_cli.check.blocks import read_wire
from sseclient_cli.check.catalogue import Result, Status
from sseclient_cli.check.doctor import Examination
from sseclient_cli.check.flow import heartbeat_interval_s
from sseclient_cli.check.recording import Recording
from sseclient_cli.report.check_model import CheckCounts, CheckedItem, CheckFigures, CheckReport
from sseclient_cli.report.model import Tool
from sseclient_cli.request.target import Target


def check_report_of(examination: Examination, target: Target) -> CheckReport:
    """Return the document."""
    recording = examination.recording
    counts = Counter(result.status for result in examination.results)
    return CheckReport(
        tool=Tool(name="sseclient-cli", version=__version__),
        method=target.method,
        urls=list(recording.head.urls),
        status=recording.head.status,
        started_at=datetime.fromtimestamp(round(examination.started_s, 3), UTC),
        duration_s=round(examination.duration_s, 3),
        counts=CheckCounts(
            ok=counts[Status.OK],
            warnings=counts[Status.WARNING],
            faults=counts[Status.FAULT],
            not_checked=counts[Status.NOT_CHECKED],
        ),
        figures=_figures(recording),
        checks=[_item(result) for result in examination.results],
    )


def _item(result: Result) -> CheckedItem:
    said = result.check.said
    return CheckedItem(
        name=said.name, title=said.title, status=result.status, seen=result.seen, fix=result.fix, meaning=said.meaning
    )


def _figures(recording: Recording) -> CheckFigures:
    sizes = [block.size_bytes for block in read_wire(recording.body).events]
    heartbeat_s = heartbeat_interval_s(recording)
    return CheckFigures(
        head_ms=round(recording.head.delay_s * 1000, 3),
        first_byte_ms=_since_request_ms(recording, recording.reads[0].arrived_ns if recording.reads else None),
        first_event_ms=_since_request_ms(recording, recording.events[0].arrived_ns if recording.events else None),
        events=len(recording.events),
        comments=recording.comment_count,
        bytes=recording.size_bytes,
        longest_silence_s=round(recording.longest_silence_s(recording.ended_ns), 3),
        heartbeat_interval_s=None if heartbeat_s is None else round(heartbeat_s, 3),
        retry_ms=recording.retry_ms,
        largest_event_bytes=max(sizes) if sizes else None,
    )


def _since_request_ms(recording: Recording, time_ns: int | None) -> float | None:
    return None if time_ns is None else round(max(time_ns - recording.head.sent_ns, 0) / 1e6, 3)
