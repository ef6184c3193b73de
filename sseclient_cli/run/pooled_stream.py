"""A stream of a stream pool, with what measures it."""

from __future__ import annotations

from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.observer import StreamObserver
from sseclient_cli.engine.stream import Owner, Stream
from sseclient_cli.measure.event_sampler import EventSampler
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.reach_probe import ReachProbe
from sseclient_cli.request.prompts import Conversation


class PooledStream(Stream):
    """A stream in a slot, with its event sampler, and with the probe of its request if its answer has an end."""

    __slots__ = ("conversation", "probe", "sampler")

    def __init__(
        self,
        context: EngineContext,
        owner: Owner,
        slot: int,
        number: int,
        measurement: Measurement,
        conversation: Conversation | None = None,
    ) -> None:
        self.conversation = conversation
        """The conversation before this request, if it may have several."""
        self.sampler = EventSampler(measurement)
        self.probe = measurement.request_probe(number, None if conversation is None else conversation.turn)
        found: tuple[StreamObserver | None, ...] = (self.sampler, measurement.receipts_probe(slot), self.probe)
        super().__init__(context, owner, slot, tuple(each for each in found if each is not None), number, conversation)

    def join_reach(self, measurement: Measurement) -> None:
        """Add a reach probe, if the stream belongs to the sample."""
        if self.sampler.events or len(self.observers) > 1:
            return  # receipts of published events show the reach better than a sample; a request has its own answer
        bit = measurement.reach.join(self.last_byte_ns)
        if bit:
            self.observers = (*self.observers, ReachProbe(measurement.reach, bit))
