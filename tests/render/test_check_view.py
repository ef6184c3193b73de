"""The lines of a check on terminals of several widths."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from sseclient_cli.check.catalogue import Check, Status
from sseclient_cli.render.terminal.check_view import check_view
from sseclient_cli.report.check_model import CheckCounts, CheckedItem, CheckFigures, CheckReport
from sseclient_cli.report.model import Tool

LONG = "resumed after 'c87293-3': the stream began again at its start, Last-Event-ID has no effect"


def report(*results: tuple[Check, Status, str]) -> CheckReport:
    items = [
        CheckedItem(
            name=check.said.name,
            title=check.said.title,
            status=status,
            seen=seen,
            fix=check.said.fix if status in (Status.WARNING, Status.FAULT) else "",
            meaning=check.said.meaning,
        )
        for check, status, seen in results
    ]
    statuses = [item.status for item in items]
    return CheckReport(
        tool=Tool(name="sseclient-cli", version="1"),
        method="GET",
        urls=["http://127.0.0.1:8000/events"],
        status=200,
        started_at=datetime.fromtimestamp(0, UTC),
        duration_s=10.04,
        counts=CheckCounts(
            ok=statuses.count(Status.OK),
            warnings=statuses.count(Status.WARNING),
            faults=statuses.count(Status.FAULT),
            not_checked=statuses.count(Status.NOT_CHECKED),
        ),
        figures=CheckFigures(
            head_ms=1,
            first_byte_ms=None,
            first_event_ms=None,
            events=0,
            comments=0,
            bytes=0,
            longest_silence_s=1,
            heartbeat_interval_s=None,
            retry_ms=None,
            largest_event_bytes=None,
        ),
        checks=items,
    )


def shown(document: CheckReport, width: int) -> list[str]:
    text = StringIO()
    Console(file=text, width=width, color_system=None, highlight=False).print(check_view(document))
    return text.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_lines_fit_and_say_everything(width: int) -> None:
    document = report(
        (Check.CONTENT_TYPE, Status.OK, "text/event-stream"),
        (Check.REPLAY, Status.FAULT, LONG),
        (Check.CACHING, Status.WARNING, "no Cache-Control"),
        (Check.HTTP2, Status.NOT_CHECKED, "not over http://"),
    )
    lines = shown(document, width)
    assert all(len(line) <= width and line == line.rstrip() for line in lines), lines
    said = " ".join(" ".join(lines).split())
    assert LONG in said
    assert "→ Send `Cache-Control: no-store`." in said
    assert lines[-1] == "1 fault, 1 warning, 1 ok, 1 not checked."


def test_control_characters_of_a_server_are_escaped() -> None:
    assert "\x1b" not in "".join(shown(report((Check.FIELDS, Status.FAULT, "a\x1b[31m\nb")), 80))


def test_names_are_unique_and_fixes_are_sentences() -> None:
    names = [check.said.name for check in Check]
    assert len(set(names)) == len(names)
    for check in Check:
        assert check.said.fix.endswith(".")
        assert check.said.meaning.endswith(".")
