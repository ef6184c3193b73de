"""The state that all event samplers of one worker share."""

from __future__ import annotations

from dataclasses import dataclass, field

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.fanout_token import TokenReader
from sseclient_cli.measure.field_choice import Field
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.reach import ReachSample
from sseclient_cli.measure.receipts import Receipts
from sseclient_cli.measure.receipts_probe import ReceiptsProbe
from sseclient_cli.measure.request_probe import RequestMeasurement, RequestProbe
from sseclient_cli.measure.response_heads import ResponseHeads
from sseclient_cli.measure.samples import Samples
from sseclient_cli.measure.undecided_events import UndecidedEvents


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The samples of a worker, and the fields of its events."""

    clock: RunClock
    poller: Poller
    """Its polls of the sockets bound the error of an arrival time."""
    undecided: UndecidedEvents
    """The events that wait until their fields are known, and the known fields."""
    samples: Samples = field(default_factory=Samples)
    heads: ResponseHeads = field(default_factory=ResponseHeads)
    reach: ReachSample = field(default_factory=ReachSample)
    audits: dict[str, FieldAudit] = field(default_factory=dict)
    """By field: the sum of the sequence checks of finished streams."""
    expects_replays: bool = False
    """Whether streams may reconnect: a replay must then be distinguished from a new numbering."""
    counts_error_events: bool = False
    receipts: Receipts | None = None
    """The receipts of the events of the run's publisher; None without one."""
    tokens: TokenReader | None = None
    """Finds these events."""
    requests: RequestMeasurement | None = None
    """What the requests of the run share; None if its streams have no end of their own."""

    def audit_of(self, place: Field, trust: Trust | None) -> FieldAudit:
        """Return the sum of the checks of a field."""
        return self.audits.setdefault(str(place), FieldAudit(trust))

    def request_probe(self, number: int, turn: int | None = None) -> RequestProbe | None:
        """Return the observer of a new request with this number; None if streams have no end of their own.

        ``turn`` is its number in a conversation, which needs the text of the answer.
        """
        return None if self.requests is None else self.requests.probe(number, turn)

    def receipts_probe(self, stream: int) -> ReceiptsProbe | None:
        """Return the observer of stream ``stream`` for published events; None without a publisher."""
        if self.receipts is None or self.tokens is None:
            return None
        own = self.receipts.stream(stream)
        return (
            None
            if own is None
            else ReceiptsProbe(self.tokens, self.receipts, own, clock=self.clock, poller=self.poller)
        )
