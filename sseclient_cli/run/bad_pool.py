"""The bad clients of a worker: opens them, turns them bad at the planned time, and counts what the server does.

It is apart from the stream pool, so that no figure of the good streams has a condition for bad clients. Its streams
have a context of their own: their reads, attempts and bytes are not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from functools import partial
from heapq import heappop, heappush
from itertools import count
from time import monotonic_ns, sleep

from sseclient_cli.engine.attempts import Attempts
from sseclient_cli.engine.bad_clients import HalfRequest, HeldSocket
from sseclient_cli.engine.bad_sockets import SEGMENT_OPTIONS, SLOW_OPTIONS, reappear, reset_on_close, vanish
from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.exchange import Phase
from sseclient_cli.engine.reads import Reads
from sseclient_cli.engine.stream import Stream
from sseclient_cli.errors import SseError
from sseclient_cli.measure.bad_clients import BadTotals
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.request.target import Target
from sseclient_cli.run.actor import NEVER_NS
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.timeouts import Timeouts
from sseclient_cli.units import NS_PER_S

ACTIONS_PER_TURN = 10
"""Limit of actions per turn (0.1 ms each), as in the stream pool."""

RETRY_NS = NS_PER_S
"""Delay before a client that could not connect tries again."""

OPEN_CHECK_NS = NS_PER_S // 10
"""A client without an open connection when it should turn bad is looked at again after this time."""

PROBE_NS = NS_PER_S // 2
"""Interval of the question whether the server still holds the connection of a slow client: the error of
``dropped_after``."""

ANSWER_S = 0.3
"""Time that the server's kernel has for the last answer, after the end of the run."""

ANSWER_CHECK_S = 0.005


_SOCKET_OPTIONS = {BadKind.SLOW: SLOW_OPTIONS, BadKind.VANISH: SEGMENT_OPTIONS}


class _Act(Enum):
    CONNECT = "connect"
    TURN = "turn"


class BadPool:
    """Owns the bad clients of one worker and one target. An ``Actor``, and the ``Owner`` of their streams."""

    def __init__(self, context: EngineContext, plan: Plan, totals: dict[BadKind, BadTotals], target: Target) -> None:
        attempts = Attempts(limits_head=target.head_timeout_s is not None)
        self._context = replace(context, reads=Reads(), attempts=attempts, events_per_stream=None)
        self._plan, self._totals = plan, totals
        self._roles = plan.bad_slots
        self._timeouts = Timeouts(attempts, target, None)
        self._streams: dict[int, Stream] = {}
        """Clients that have not turned bad, by slot."""
        self._held: dict[int, HeldSocket] = {}
        self._half: dict[int, HalfRequest] = {}
        self._turned_ns: dict[int, int] = {}
        """When each client turned bad (monotonic)."""
        self._due: list[tuple[int, int, _Act, int]] = []
        self._order = count()
        self._probe_due_ns = 0
        self._answers_ns = 0
        """Until when to wait for answers (monotonic)."""
        self._has_good_streams = plan.planned > 0

    def begin(self, started_ns: int) -> None:
        """Set the start of the run (monotonic), to which the times of the plan are relative."""
        bad = self._plan.bad_clients
        at_ns = started_ns + round((bad.at_s if bad else 0) * NS_PER_S)
        for slot, kind in self._roles.items():
            if kind is not BadKind.HALF_REQUEST:
                self._schedule(started_ns + self._plan.start_ns(slot), _Act.CONNECT, slot)
            self._schedule(max(at_ns, started_ns + self._plan.start_ns(slot)), _Act.TURN, slot)

    @property
    def next_due_ns(self) -> int:
        """When to call ``do_due`` next (monotonic)."""
        return self._due[0][0] if self._due else NEVER_NS

    @property
    def is_over(self) -> bool:
        """Whether the run may end: bad clients do not prolong it, except in a worker without good streams."""
        return self._has_good_streams

    def do_due(self) -> None:
        """Connect and turn the clients that are due, at most ACTIONS_PER_TURN per call."""
        for _ in range(ACTIONS_PER_TURN):
            now_ns = monotonic_ns()
            if not self._due or self._due[0][0] > now_ns:
                break
            _, _, act, slot = heappop(self._due)
            if act is _Act.CONNECT:
                self._connect(slot)
            else:
                self._turn(slot, now_ns)

    def tick(self) -> None:
        """Read for the slow clients, check timeouts, and ask for connections that the server may have closed."""
        now_ns = monotonic_ns()
        self._timeouts.check(self._streams)
        reads = self._context.reads
        del reads.delay_us[:]
        is_probe_due = now_ns >= self._probe_due_ns
        if is_probe_due:
            self._probe_due_ns = now_ns + PROBE_NS
        for slot, held in list(self._held.items()):
            if self._roles[slot] is BadKind.SLOW:
                held.read_slowly(now_ns)
                if is_probe_due:
                    held.probe()

    def ask(self) -> None:
        """Ask at the end of the run for the connections that the server still holds."""
        for slot, held in list(self._held.items()):
            if self._roles[slot] is BadKind.VANISH:
                with suppress(OSError):
                    reappear(held.raw_socket)
            held.probe()
        self._answers_ns = monotonic_ns() + round(ANSWER_S * NS_PER_S)

    def finish(self) -> None:
        """Wait for the answers, and count the connections that the server still holds."""
        waiting = dict(self._held)
        while waiting and monotonic_ns() < self._answers_ns:
            waiting = {slot: held for slot, held in waiting.items() if not held.take_answer()}
            if waiting:
                sleep(ANSWER_CHECK_S)
        for slot in self._held:  # without those that turned out to be closed
            totals = self._totals_of(slot)
            if slot in waiting:
                totals.unknown += 1
            else:
                totals.held += 1
        for slot, half in self._half.items():
            if half.phase is Phase.REQUESTING:
                self._totals_of(slot).held += 1

    def close(self) -> None:
        """Close all connections. Those of vanished clients are reset if the server sent data that was not read."""
        connections: tuple[Stream | HeldSocket | HalfRequest, ...]
        connections = (*self._streams.values(), *self._held.values(), *self._half.values())
        for each in connections:
            each.close()

    def _totals_of(self, slot: int) -> BadTotals:
        return self._totals[self._roles[slot]]

    def _schedule(self, at_ns: int, act: _Act, slot: int) -> None:
        heappush(self._due, (at_ns, next(self._order), act, slot))

    # Connecting.

    def _connect(self, slot: int) -> None:
        options = _SOCKET_OPTIONS.get(self._roles[slot])
        context = self._context if options is None else replace(self._context, socket_options=options)
        stream = self._streams[slot] = Stream(context, self, slot)
        try:
            stream.connect(monotonic_ns())
        except (SseError, OSError) as exc:
            stream.ended(exc)

    def opened(self, stream: Stream) -> None:
        """Do nothing: a good client for now."""

    def completed(self, stream: Stream) -> None:
        """Do nothing: the streams have no number of events."""

    def ended(self, stream: Stream, error: SseError | None, was: Phase) -> None:
        """Connect again: the client must be connected when it turns bad."""
        if self._streams.get(stream.slot) is stream:
            del self._streams[stream.slot]
            stream.close()
            wait_ns = 0 if was is Phase.OPEN else RETRY_NS
            self._schedule(monotonic_ns() + wait_ns, _Act.CONNECT, stream.slot)

    # Turning bad.

    def _turn(self, slot: int, now_ns: int) -> None:
        kind = self._roles[slot]
        if kind is BadKind.HALF_REQUEST:
            self._send_half(slot, now_ns)
            return
        stream = self._streams.get(slot)
        if stream is None or stream.phase is not Phase.OPEN:
            self._schedule(now_ns + OPEN_CHECK_NS, _Act.TURN, slot)
            return
        del self._streams[slot]
        transport = stream.release()
        if transport is None:
            return
        if kind is BadKind.VANISH:
            vanish(transport.raw_socket)
        bad = self._plan.bad_clients
        bytes_per_s = (bad and bad.slow_bytes_per_s) or 0
        held = HeldSocket(transport, self._context.poller, self._dropping(slot), bytes_per_s=bytes_per_s)
        self._turned(slot)
        if kind is BadKind.ABRUPT:
            reset_on_close(transport.raw_socket)
            held.close()
        else:
            self._held[slot] = held

    def _send_half(self, slot: int, now_ns: int) -> None:
        half = self._half.get(slot)
        if half is None or half.has_failed:
            try:
                self._half[slot] = HalfRequest(self._context, slot, self._turned, self._dropping(slot))
            except (SseError, OSError):
                self._half.pop(slot, None)
        if slot not in self._turned_ns:
            self._schedule(now_ns + RETRY_NS, _Act.TURN, slot)

    def _turned(self, slot: int) -> None:
        self._turned_ns[slot] = monotonic_ns()
        self._totals_of(slot).turned += 1

    def _dropping(self, slot: int) -> Callable[[bool], None]:
        return partial(self._count_end, slot)

    def _count_end(self, slot: int, was_closed: bool) -> None:
        """Count a connection that has ended since its client turned bad."""
        self._held.pop(slot, None)
        totals = self._totals_of(slot)
        if not was_closed:
            totals.unknown += 1
            return
        totals.dropped += 1
        if self._roles[slot] is not BadKind.VANISH:  # its end is seen only after the run
            totals.dropped_after.record({(monotonic_ns() - self._turned_ns[slot]) // 1000: 1})
