"""The probe of an MCP request: times, forms, notifications, and what a refusal means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.observer import Connected, Opened
from sseclient_cli.engine.poller import Poller
from sseclient_cli.errors import (
    BadStatusError,
    ConnectionLostError,
    NoResultError,
    RpcError,
    SessionGoneError,
    SseError,
)
from sseclient_cli.measure.answer_choice import McpChoice
from sseclient_cli.measure.mcp_probe import McpMeasurement, McpProbe
from sseclient_cli.sse.event import Event
from sseclient_cli.sse.stream_format import StreamFormat

MS = 1_000_000
SENT_NS = 100 * MS


def measurement(*, sessions: int = 0) -> McpMeasurement:
    return McpMeasurement(clock=RunClock(), poller=Poller(), choice=McpChoice("tools/call", "t", sessions=sessions))


def opened(measured: McpMeasurement, stream_format: StreamFormat = StreamFormat.SSE, status: int = 200) -> McpProbe:
    probe = McpProbe(measured, 7)
    probe.connected(0, Connected(connected_ns=0, ready_ns=SENT_NS, is_tls=False))
    probe.opened(
        Opened(
            headers={}, requested_ns=SENT_NS, arrival_ns=0, arrival_monotonic_ns=0, is_exact=True, is_alone=True,
            stream_format=stream_format, status=status,
        )
    )  # fmt: skip
    return probe


def receive(probe: McpProbe, at_ms: int, *messages: dict[str, Any], body: bytes = b"x", is_exact: bool = True) -> None:
    events = [Event("message", json.dumps(message), "") for message in messages]
    at_ns = SENT_NS + at_ms * MS
    probe.received(body, events, at_ns, at_ns, is_exact=is_exact, is_fresh=False)


def conclude(probe: McpProbe, measured: McpMeasurement) -> None:
    probe.conclude(10**12, probe.failure())
    measured.fold()


PROGRESS = {"method": "notifications/progress"}
RESULT = {"id": 7, "result": {}}


def test_a_request_ends_with_its_answer_and_its_first_message_is_the_first_chunk() -> None:
    measured = measurement()
    probe = opened(measured)
    probe.received(b"x", [Event("message", "", "1")], SENT_NS, SENT_NS, is_exact=True, is_fresh=False)
    receive(probe, 10, PROGRESS)
    receive(probe, 20, PROGRESS)
    was_complete = probe.is_complete
    receive(probe, 30, RESULT)
    assert (was_complete, probe.is_complete) == (False, True)
    conclude(probe, measured)
    totals = measured.totals
    assert (totals.succeeded, totals.failed) == (1, 0)
    assert (round(totals.first_chunk.min_us, -3), round(totals.duration.max_us, -3)) == (10_000, 30_000)
    assert (measured.figures.in_streams, measured.figures.in_bodies, measured.figures.notifications) == (1, 0, 2)


@pytest.mark.parametrize("is_exact", [True, False])
def test_a_body_of_json_arrives_with_its_last_read(is_exact: bool) -> None:
    measured = measurement()
    probe = opened(measured, StreamFormat.JSON)
    probe.received(b"{", [], SENT_NS, SENT_NS, is_exact=False, is_fresh=False)
    at_ns = SENT_NS + 40 * MS
    measured.poller.empty_ns = at_ns - 1_000  # so it arrived within the last microsecond
    probe.received(b"}", [], at_ns, at_ns, is_exact=False, is_fresh=True)
    measured.poller.empty_ns = at_ns + MS  # the end of the response is found later
    receive(probe, 40, RESULT, body=b"", is_exact=is_exact)
    conclude(probe, measured)
    assert (measured.totals.first_chunk.count, measured.totals.untimed) == (1, 0)
    assert round(measured.totals.duration.max_us, -3) == 40_000
    assert (measured.figures.in_streams, measured.figures.in_bodies) == (0, 1)


def test_a_failed_answer_is_in_no_figure_of_the_answers() -> None:
    measured = measurement()
    probe = opened(measured)
    receive(probe, 10, PROGRESS, {"id": 7, "result": {"isError": True}})
    conclude(probe, measured)
    assert (measured.totals.succeeded, measured.totals.failed) == (0, 1)
    assert (measured.figures.in_streams, measured.figures.notifications) == (0, 0)


def failure(status: int, *, sessions: int, code: int | None) -> SseError | None:
    """Return the failure of a response with this status, and with a JSON-RPC error if ``code`` is given."""
    probe = opened(measurement(sessions=sessions), StreamFormat.JSON, status)
    if code is not None:
        receive(probe, 10, {"id": None, "error": {"code": code, "message": "m"}})
    return probe.failure()


def test_status_404_means_an_unknown_session_only_if_there_are_sessions() -> None:
    assert isinstance(failure(404, sessions=2, code=-32600), SessionGoneError)
    assert isinstance(failure(404, sessions=2, code=None), SessionGoneError)
    assert isinstance(failure(404, sessions=0, code=-32600), RpcError)
    assert isinstance(failure(404, sessions=2, code=-32601), RpcError)  # an unknown method
    assert isinstance(failure(400, sessions=2, code=-32600), RpcError)


@pytest.mark.parametrize("status", [400, 404])
def test_a_status_without_a_json_rpc_error_is_a_failure_of_its_own(status: int) -> None:
    found = failure(status, sessions=0, code=None)
    assert isinstance(found, BadStatusError)
    assert found.kind == f"http-{status}"


def test_a_status_without_json_ends_the_session_too() -> None:
    not_found, lost = BadStatusError("404", status=404), ConnectionLostError("cut")
    assert isinstance(McpProbe(measurement(sessions=1), 0).explained(not_found), SessionGoneError)
    assert McpProbe(measurement(), 0).explained(not_found) is not_found
    assert McpProbe(measurement(sessions=1), 0).explained(lost) is lost


def test_a_response_that_ended_without_an_answer_is_a_failure() -> None:
    probe = opened(measurement())
    receive(probe, 10, PROGRESS)
    assert isinstance(probe.failure(), NoResultError)
