"""The rows of the summary about outages."""

from __future__ import annotations

import io

import pytest
from lost_streams import LostStreams
from report_json import report_of
from rich.console import Console
from run_reports import usual_run

from sseclient_cli.render.recovery_words import reconnection_words, refusal_sentence
from sseclient_cli.render.terminal.recovery_view import recovery_rows
from sseclient_cli.report.recovery_model import Refusal
from sseclient_cli.run.plan import OnEnd


def lines_of(width: int) -> list[str]:
    """Return the rows after a restart behind a proxy that answered 502."""
    streams = LostStreams(500, retry_ms=500)
    streams.cut(range(500), 4_500)
    streams.answered(range(500), 5_000, 502)
    for slot in range(500):
        streams.opened(slot, 6_500 + 2 * slot)
    run = usual_run(recovery=streams.totals, on_end=OnEnd.RECONNECT, retry_statuses=frozenset({502}))
    recovery = report_of(run).recovery
    assert recovery is not None
    text = io.StringIO()
    Console(file=text, width=width).print(*recovery_rows(recovery), sep="\n")
    return text.getvalue().splitlines()


def test_the_rows_say_what_a_browser_would_do_after_a_502() -> None:
    text = " ".join(" ".join(lines_of(80)).split())
    assert "500 streams got 502: a browser would give up; this run retried because of --retry-status" in text
    assert "500 ms from the server (retry) obeyed" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_line_fits_and_begins_in_its_column(width: int) -> None:
    lines = [line for line in lines_of(width) if line]
    assert all(len(line) <= width for line in lines)
    assert all(line[7:9].isspace() and not line[9].isspace() for line in lines)


def test_a_page_instead_of_an_event_stream_is_named() -> None:
    assert refusal_sentence(Refusal(status=200, streams=1, retried=False)) == (
        "1 stream got 200 without an event stream: a browser would give up, as this run did"
    )


def test_streams_that_did_not_try_again_have_not_obeyed_the_reconnection_time() -> None:
    streams = LostStreams(10)
    streams.cut(range(10), 4_500)
    recovery = report_of(usual_run(recovery=streams.totals, on_end=OnEnd.RECONNECT)).recovery
    assert recovery is not None
    assert list(reconnection_words(recovery.described[0]))[-1] == "no stream tried again"
