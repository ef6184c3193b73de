"""Measures the answer of an MCP server to one request.

Pure. The first message of a response, a notification or the answer, is the first chunk of the other figures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sseclient_cli.engine.observer import Opened
from sseclient_cli.errors import RpcError, SessionGoneError, SseError, UnexpectedResponseError
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.request_probe import Moment, RequestMeasurement, RequestProbe
from sseclient_cli.payload.mcp_messages import McpExchange, rpc_error_of
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.sse.stream_format import StreamFormat

METHOD_NOT_FOUND = -32601
"""A server of version 2026-07-28 sends this error with status 404, which otherwise means an unknown session."""


@dataclass(frozen=True, slots=True)
class McpChoice:
    """What a run with MCP requests calls, and what it knows of the server. Part of the plan."""

    method: str
    tool: str | None = None
    version: str = ""
    """The version of MCP that the server speaks. It is empty until the server has said it."""
    server_name: str = ""
    server_version: str = ""
    sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class McpMeasurement(RequestMeasurement):
    """What the probes of a worker share."""

    choice: McpChoice
    figures: McpTotals = field(default_factory=McpTotals)

    def __post_init__(self) -> None:
        self.totals.mcp = self.figures


class McpProbe(RequestProbe):
    """The probe of one request, whose ID is its number in the run."""

    __slots__ = ("_exchange", "_is_body", "_mcp", "_spread_ns")

    def __init__(self, measurement: McpMeasurement, number: int) -> None:
        super().__init__(measurement)
        self._mcp = measurement
        self._exchange = McpExchange(number)
        self._is_body = False
        self._spread_ns: int | None = None
        """By how much earlier the last read of a body may have arrived."""

    def opened(self, opened: Opened) -> None:
        """Note the form of the answer."""
        super().opened(opened)
        self._is_body = opened.stream_format is StreamFormat.JSON

    def received(
        self,
        body: bytes,
        events: list[Event],
        arrival_ns: int,
        arrival_monotonic_ns: int,
        *,
        is_exact: bool,
        is_fresh: bool,
    ) -> None:
        """Read the messages of one read. A body of JSON is one message, which its end completes."""
        if body and self._is_body:
            self._spread_ns = max(arrival_ns - self._mcp.poller.empty_ns, 0) if is_fresh else None
        super().received(body, events, arrival_ns, arrival_monotonic_ns, is_exact=is_exact, is_fresh=is_fresh)
        if events and self._is_body and not is_exact:
            self._first_chunk = Moment(arrival_monotonic_ns, self._spread_ns)

    def read(self, event: Event, moment: Moment) -> bool:
        """Read the next message. Return whether it is the answer."""
        return self._exchange.read(ParsedEvent(event))

    def failure(self) -> SseError | None:
        """Return why the response is no result: an error, a failed tool, or no answer."""
        return self._exchange.error if self._exchange.is_answered else self._exchange.unanswered()

    def explained(self, error: SseError) -> SseError:
        """Return the error of JSON-RPC, or the end of the session, that a refusal by the server means."""
        if not isinstance(error, UnexpectedResponseError):
            return error
        rpc = _rpc_error_in(error.body)
        is_unknown_method = rpc is not None and rpc.rpc_code == METHOD_NOT_FOUND
        if error.status == 404 and self._mcp.choice.sessions and not is_unknown_method:
            return SessionGoneError(f"the server does not know the session any more: {error}")
        return rpc or error

    def add_answer(self, first_chunk_us: int | None) -> None:
        """Add the figures of the answer."""
        figures = self._mcp.figures
        figures.in_bodies += self._is_body
        figures.in_streams += not self._is_body
        figures.notifications += self._exchange.notifications


def _rpc_error_in(body: bytes) -> RpcError | None:
    try:
        return rpc_error_of(json.loads(body))
    except (ValueError, RecursionError):
        return None
