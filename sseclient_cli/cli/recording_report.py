"""``sse report`` of a recording: the figures of its streams, as ``sse watch`` shows them at the end of a run."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.cli.options.output import DocumentOutputOptions
    from sseclient_cli.client.recording import Header, Record
    from sseclient_cli.measure.stream_statistics import StreamStatistics, StreamSummary


def report_recording(path: Path, output: DocumentOutputOptions) -> int:
    """Show the figures of a recording, or write them as JSON. Raises UsageError."""
    from contextlib import closing

    from sseclient_cli.cli.result_file import ResultFile

    if output.html_file is not None or output.output_files:
        raise UsageError(f"{path} is a recording: it has only a summary, and --json")
    header, summaries, skipped = _summaries(path)
    to_stdout = False
    if output.json_file is not None:
        with closing(ResultFile(output.json_file)) as file:
            to_stdout = file.is_stdout
            file.write(json.dumps(_document(header, summaries, skipped), indent=2) + "\n")
    if not output.quiet:
        _show(header, summaries, to_stderr=to_stdout)
    return 0


def _summaries(path: Path) -> tuple[Header, list[StreamSummary], int]:
    """Read the recording once. Return the figures of each stream, and the number of damaged lines."""
    from sseclient_cli.client.recording_reader import DamageLog, RecordingReader, opened
    from sseclient_cli.measure.stream_statistics import StreamStatistics
    from sseclient_cli.render.standard_streams import say

    damage = DamageLog(path, say)
    with opened(path) as file:
        reader = RecordingReader(file, str(path), damage.add)
        started_ns = reader.header.started_ns
        statistics = [StreamStatistics() for _ in reader.header.streams]
        ends_ns = [started_ns] * len(statistics)
        for _, _, record in reader:
            # Not the arrival: a step of the wall clock would be a gap.
            ends_ns[record.stream] = started_ns + record.elapsed_ns
            _add(statistics[record.stream], record, ends_ns[record.stream])
    damage.end()
    pairs = zip(statistics, ends_ns, strict=True)
    return reader.header, [each.summary(end_ns) for each, end_ns in pairs], damage.count


def _add(statistics: StreamStatistics, record: Record, time_ns: int) -> None:
    from sseclient_cli.client.recording import Opened, RecordedComment, RecordedEvent
    from sseclient_cli.sse.event import Event

    if isinstance(record, RecordedEvent):
        statistics.event(Event(record.type, record.data, record.id, time_ns))
    elif isinstance(record, RecordedComment):
        statistics.comment(time_ns)
    elif isinstance(record, Opened):
        statistics.opened(time_ns)


def _document(header: Header, summaries: list[StreamSummary], skipped: int) -> dict[str, Any]:
    streams = [
        {"url": url, **asdict(summary), "types": dict(summary.types)}
        for url, summary in zip(header.streams, summaries, strict=True)
    ]
    return {
        "document": "recording",
        "written_by": header.written_by,
        "started_at": datetime.fromtimestamp(header.started_ns / 1e9, UTC).isoformat(),
        "skipped_lines": skipped,
        "streams": streams,
    }


def _show(header: Header, summaries: list[StreamSummary], *, to_stderr: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from sseclient_cli.escaping import visible
    from sseclient_cli.render.watch.summary_view import stream_summary

    console = Console(file=sys.stderr if to_stderr else sys.stdout, highlight=False)
    started = datetime.fromtimestamp(header.started_ns / 1e9).astimezone()
    for url, summary in zip(header.streams, summaries, strict=True):
        shown = visible(url, keep_lines=False)
        console.print(Text(f"{shown}, recorded {started:%Y-%m-%d %H:%M:%S}", overflow="fold"))
        console.print(stream_summary(summary))
