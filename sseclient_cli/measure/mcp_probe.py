"""Measures the answer of an MCP server to one request.

Pure. The first message of a response, a notification or the answer, is the first chunk of the other figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sseclient_cli.engine.observer import Opened
from sseclient_cli.errors import BadStatusError, RpcError, SessionGoneError, SseError
from sseclient_cli.measure.answer_choice import McpChoice
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.request_probe import Moment, RequestMeasurement, RequestProbe
from sseclient_cli.payload.mcp_messages import McpExchange
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.sse.stream_format import StreamFormat

NOT_FOUND = 404
"""The status for an unknown session (2025-06-18), and for an unknown method (2026-07-28)."""

METHOD_NOT_FOUND = -32601
"""The JSON-RPC error that tells the second from the first."""

ERROR_STATUSES = frozenset({400, NOT_FOUND})
"""The statuses of responses with a JSON-RPC error in both versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpMeasurement(RequestMeasurement):
    """What the probes of a worker share."""

    choice: McpChoice
    figures: McpTotals = field(default_factory=McpTotals)

    def __post_init__(self) -> None:
        self.totals.mcp = self.figures

    def probe(self, number: int, turn: int | None) -> McpProbe:
        """Return the probe of a new request."""
        return McpProbe(self, number)


class McpProbe(RequestProbe):
    """The probe of one request, whose ID is its number in the run."""

    __slots__ = ("_exchange", "_is_body", "_mcp", "_spread_ns", "_status")

    def __init__(self, measurement: McpMeasurement, number: int) -> None:
        super().__init__(measurement)
        self._mcp = measurement
        self._exchange = McpExchange(number)
        self._is_body = False
        self._status = 200
        self._spread_ns: int | None = None
        """By how much earlier the last read of a body may have arrived."""

    def opened(self, opened: Opened) -> None:
        """Note the status and the form of the answer."""
        super().opened(opened)
        self._status = opened.status
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
            self._spread_ns = self._mcp.poller.spread_ns(arrival_ns, is_fresh=is_fresh)
        super().received(body, events, arrival_ns, arrival_monotonic_ns, is_exact=is_exact, is_fresh=is_fresh)
        if not self._exchange.messages:
            self._first_chunk = None  # an event without data is no message
        elif events and self._is_body and not is_exact:
            self._first_chunk = Moment(arrival_monotonic_ns, self._spread_ns)

    def read(self, events: list[Event], others: Moment, last: Moment) -> bool:
        """Read messages, up to the answer. Return whether it is among them."""
        return any(self._exchange.read(ParsedEvent(event)) for event in events)

    def failure(self) -> SseError | None:
        """Return why the response is no result: an error, a failed tool, the end of the session, or no answer."""
        error = self._exchange.error if self._exchange.is_answered else self._exchange.unanswered()
        if self._status in ERROR_STATUSES and not isinstance(error, RpcError):
            message = f"the server answered {self._status} without a JSON-RPC error: {error}"
            error = BadStatusError(message, status=self._status)
        is_unknown_method = isinstance(error, RpcError) and error.rpc_code == METHOD_NOT_FOUND
        if self._status == NOT_FOUND and self._mcp.choice.sessions and not is_unknown_method:
            return SessionGoneError(f"the server does not know the session of the request any more: {error}")
        return error

    def explained(self, error: SseError) -> SseError:
        """Return the end of the session that a status without a JSON-RPC error means, or the error as it is."""
        if isinstance(error, BadStatusError) and error.status == NOT_FOUND and self._mcp.choice.sessions:
            return SessionGoneError(f"the server does not know the session of the request any more: {error}")
        return error

    def add_answer(self, first_chunk_us: int | None) -> None:
        """Add the figures of the answer."""
        figures = self._mcp.figures
        figures.in_bodies += self._is_body
        figures.in_streams += not self._is_body
        figures.notifications += self._exchange.notifications
