"""The shards of a run on one machine of a cluster: their processes, and what these have sent so far."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from threading import Event, Lock, Thread

from sseclient_cli.errors import HostLostError, SseError
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.request.stream_requests import PerStream
from sseclient_cli.run.executors import Handle
from sseclient_cli.run.executors.apart import started_apart
from sseclient_cli.run.executors.processes import ProcessesExecutor
from sseclient_cli.run.hosts.exchange import LEASE_S, Answer, Collected, Kill, Orders
from sseclient_cli.run.hosts.shipment import Shipment
from sseclient_cli.run.messages import Interrupt, Ready, Snapshot
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.progress import Progress, ended, merged
from sseclient_cli.run.spec import Shard
from sseclient_cli.units import NS_PER_S


class AgentRun:
    """The part of a run that an agent has: a process for each plan, by the number of its shard.

    ``values`` replace those of the shard. ``name`` is that of the machine in the report. The processes end if neither
    ``answer`` nor ``collected`` is called for LEASE_S. Raises LimitError if they cannot be started.
    """

    def __init__(
        self,
        shipment: Shipment[Shard],
        values: Sequence[PerStream | None] | None,
        plans: Mapping[int, Plan],
        name: str,
        *,
        with_progress: bool,
    ) -> None:
        self._plans, self._name = plans, name
        self._handles: dict[int, Handle] = {}
        self._lock = Lock()
        """Protects the state below, which the threads of the processes change."""
        self._state = Answer()
        self._dead: set[int] = set()
        self._progress: dict[int, Progress] = {}
        self._snapshots: dict[int, Totals] = {}
        self._totals: dict[int, Totals] = {}
        self._heard_s = time.monotonic()
        """The time of the last call."""
        self._is_released = Event()
        self._is_lapsed = False
        """Whether the load ended because there was no call."""
        with ExitStack() as stack:
            shard = stack.enter_context(shipment.unpacked())
            self._start(stack, shard if values is None else shard.with_values(values), with_progress=with_progress)
            self._processes = stack.pop_all()
        Thread(target=self._end_without_coordinator, daemon=True).start()

    def _start(self, stack: ExitStack, shard: Shard, *, with_progress: bool) -> None:
        numbers = list(self._plans)
        started = ProcessesExecutor(len(numbers), started_apart).started(
            [replace(shard, plan=plan) for plan in self._plans.values()],
            lambda index, message: self._take(numbers[index], message),
            with_progress=with_progress,
        )
        self._handles = dict(zip(numbers, stack.enter_context(started), strict=True))
        self._heard_s = time.monotonic()

    def answer(self, orders: Orders) -> Answer:
        """Pass commands to the processes, and return their state."""
        self._heard_s = time.monotonic()
        for number in self._plans.keys() & orders.commands:
            command = orders.commands[number]
            if isinstance(command, Kill):
                self._handles[number].kill()
            else:
                self._handles[number].tell(command)
        with self._lock:
            dead = list(self._dead)
        deaths = {number: self._handles[number].death() for number in dead}
        with self._lock:
            answer = Answer(deaths=deaths, progress_of=set(self._progress))
            answer.merge(self._state)
            answer.progress = merged(self._progress.values())
            answer.progress.workers = [replace(worker, host=self._name) for worker in answer.progress.workers]
            self._progress = {number: progress.shown() for number, progress in self._progress.items()}
            so_far = self._snapshots | self._totals
            if orders.wants_snapshot and so_far:
                answer.snapshot, answer.snapshot_of = Totals(), set(so_far)
                for totals in so_far.values():
                    answer.snapshot.merge(totals)
        return answer

    def collected(self) -> Collected:
        """Return the merged totals of the shards that have ended."""
        self._heard_s = time.monotonic()
        collected = Collected(shards=set(self._totals))
        for number in sorted(self._totals):
            collected.totals.merge(self._totals[number])
        return collected

    def release(self) -> None:
        """End all processes."""
        self._is_released.set()
        self._processes.close()

    def _take(self, number: int, message: object) -> None:
        """Keep a message of a process. It ends with None."""
        with self._lock:
            match message:
                case Progress():
                    earlier = self._progress.get(number)
                    self._progress[number] = message if earlier is None else message.after(earlier)
                case Snapshot():
                    self._snapshots[number] = message.totals
                case Ready():
                    self._state.ready.add(number)
                case Totals():
                    self._keep(number, message)
                case SseError():
                    self._state.errors[number] = message
                case None if number not in self._state.ended and number not in self._state.errors:
                    self._dead.add(number)

    def _keep(self, number: int, totals: Totals) -> None:
        for side in (totals, *totals.against.values()):
            if self._is_lapsed:
                self._count_lapse(side, self._plans[number])
            side.hosts = {self._name: HostTotals.of(side)}
        self._totals[number] = totals
        self._state.ended.add(number)
        elapsed_s = totals.duration_ns / NS_PER_S
        self._progress[number] = ended(totals, elapsed_s=elapsed_s, duration_s=self._plans[number].duration_s)

    def _count_lapse(self, totals: Totals, plan: Plan) -> None:
        ended_s = totals.duration_ns / NS_PER_S
        words = f"ended its load {ended_s:.1f} s into the run, after {LEASE_S:g} s without a call of the coordinator"
        totals.count_error(HostLostError.kind, f"a worker on {self._name} {words}", plan.row_at(ended_s))
        totals.workers_lost = 1

    def _end_without_coordinator(self) -> None:
        """End the load, and keep its totals: the coordinator may only have been slow or stopped (Ctrl-Z)."""
        while time.monotonic() - self._heard_s < LEASE_S:
            if self._is_released.wait(LEASE_S / 10):
                return
        self._is_lapsed = True
        for handle in self._handles.values():
            handle.tell(Interrupt())
        if not self._is_released.wait(LEASE_S):
            self._processes.close()
