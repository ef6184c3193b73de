"""Where streams put what they measure while they run. Pure: an append takes 0.04 us, all else is done at the tick."""

from __future__ import annotations

from array import array
from collections import Counter
from enum import Enum


class Latency(Enum):
    """The durations that are measured, named as the document names them."""

    CONNECT = "connect"
    TLS = "tls"
    HEADERS = "headers"
    FIRST_EVENT = "first_event"
    GAP = "gap"
    DELIVERY = "delivery"


class Samples:
    """What streams write into while they run; one per worker, emptied into Totals at each tick."""

    __slots__ = (
        "bursts", "bytes", "coalesced", "comments", "connect", "cut_silence", "delivery", "error_events", "events",
        "first_event", "gap", "headers", "held_back", "inner_gaps", "open_gap", "read_delay", "silence", "start_delay",
        "stream_events", "tls", "together_events", "types", "unstamped_reads",
    )  # fmt: skip

    def __init__(self) -> None:
        self.connect = array("q")
        self.tls = array("q")
        self.headers = array("q")
        self.first_event = array("q")
        self.gap = array("q")
        self.delivery = array("q")
        self.read_delay = array("q")
        self.start_delay = array("q")
        self.bursts = array("q")
        """Events, not us: of each read that brought several, where these are known to have arrived together."""
        self.held_back = array("q")
        """How long after the first event of such a read its last one was sent, by their own timestamps."""
        self.stream_events = array("q")
        """Events, not us: of each stream that is over."""
        self.open_gap = array("q")
        """From the last event of each stream to the end of the run."""
        self.silence = array("q")
        """Of each stream that has gone silent: from its last byte to the end of the run."""
        self.cut_silence = array("q")
        """Of each connection that was cut or ended: from its last byte to the end."""
        self.unstamped_reads = 0
        """Those that are not in ``read_delay``."""
        self.inner_gaps = 0
        """Gaps between events that are known to have arrived together."""
        self.together_events = 0
        """Events of reads that brought several, whatever is known of their arrival."""
        self.events = 0
        self.coalesced = 0
        self.comments = 0
        self.error_events = 0
        self.bytes = 0
        self.types: Counter[str] = Counter()
