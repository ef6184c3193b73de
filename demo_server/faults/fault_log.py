"""The fault log: what /faults has sent, per run and stream, to compare with the results of a client.

Bounded: the oldest runs are evicted and lists are cut, but counts are exact. "Sent" means that the kernel has taken the
event. A reset discards events that are still on the way to a slow client.

Each worker (workers/peers.py) logs the streams that it serves. All workers are told of every request in the same order,
so they agree on its number and on the evicted runs.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from demo_server.faults.report import MAX_STREAMS, Totals
from demo_server.workers.run_logs import RunLogs

MAX_LISTED = 1_000  # numbers in one list
MAX_LISTED_IN_RUN = 50_000  # numbers in all lists of a run: about 2 MB of memory, at most 1 MB of JSON
MAX_ID_CHARS = 100  # of a Last-Event-ID


class RunLog:
    """The log of one run."""

    def __init__(self) -> None:
        self.requests = 0
        self.streams: list[StreamLog] = []
        self.totals: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.list_capacity = MAX_LISTED_IN_RUN


class NumberList:
    """The numbers of events with one fault: all are counted, the first ones are listed."""

    __slots__ = ("_name", "_run", "count", "listed")

    def __init__(self, name: str, run: RunLog) -> None:
        self.count = 0
        self.listed: list[int] = []
        self._name = name
        self._run = run

    def add(self, number: int) -> None:
        """Count a number, and list it if there is room."""
        self.count += 1
        self._run.totals[self._name] += 1
        if len(self.listed) < MAX_LISTED and self._run.list_capacity:
            self.listed.append(number)
            self._run.list_capacity -= 1

    def report(self) -> dict[str, Any]:
        """Return a Numbers of report.py."""
        return {"count": self.count, "listed": list(self.listed), "is_cut": self.count > len(self.listed)}


class StreamLog:
    """The log of one stream."""

    def __init__(self, run: RunLog, number: int, last_event_id: str | None, opened_ns: int) -> None:
        self.number = number
        self.status: int | None = None
        self._run = run
        self._opened_ns = opened_ns
        self._last_event_id = None if last_event_id is None else last_event_id[:MAX_ID_CHARS]
        self._dropped, self._duplicated, self._reordered, self._unsent = (
            NumberList(name, run) for name in ("dropped", "duplicated", "reordered", "unsent")
        )
        self._sent = 0
        self._first: int | None = None
        self._last: int | None = None
        self._smallest: int | None = None
        self._largest = 0
        self._next: int | None = None
        self._overtaken: set[int] = set()  # at most one block of `reorder`
        self._heartbeats = 0
        self._ended: str | None = None
        run.endings["open"] += 1

    def answered(self, status: int) -> None:
        """Log the status of the response."""
        self.status = status

    def dropped(self, seq: int) -> None:
        """Log an event that was dropped on purpose."""
        self._dropped.add(seq)
        self._pass(seq)

    def sent(self, seq: int) -> None:
        """Log an event that the kernel has taken."""
        self._run.totals["sent"] += 1
        self._sent += 1
        if seq == self._last:  # a duplicate follows its original directly
            self._duplicated.add(seq)
            return
        if seq < self._largest:
            self._reordered.add(seq)
        if self._first is None or self._smallest is None:
            self._first = self._smallest = seq
        self._last, self._smallest, self._largest = seq, min(seq, self._smallest), max(seq, self._largest)
        self._pass(seq)

    def begins(self, first_seq: int) -> None:
        """Log the smallest number of the stream."""
        self._next = first_seq

    def _pass(self, seq: int) -> None:
        """Mark this number as done, and smaller ones that are not done as overtaken."""
        begin = seq if self._next is None else self._next
        self._overtaken.discard(seq)
        self._overtaken.update(range(begin, seq))
        self._next = max(begin, seq + 1)

    def heartbeat(self) -> None:
        """Log a heartbeat."""
        self._heartbeats += 1
        self._run.totals["heartbeats"] += 1

    def end(self, how: str) -> None:
        """Log how the stream ended."""
        self._ended = how
        for seq in sorted(seq for seq in self._overtaken if seq < self._largest):
            self._unsent.add(seq)
        self._run.endings["open"] -= 1
        self._run.endings[how] += 1

    def report(self) -> dict[str, Any]:
        """Return a StreamReport of report.py."""
        return {
            "number": self.number,
            "opened_ns": self._opened_ns,
            "last_event_id": self._last_event_id,
            "status": self.status,
            "sent": {
                "count": self._sent,
                "first": self._first,
                "last": self._last,
                "smallest": self._smallest,
                "largest": self._largest or None,
            },
            "dropped": self._dropped.report(),
            "duplicated": self._duplicated.report(),
            "reordered": self._reordered.report(),
            "unsent": self._unsent.report(),
            "heartbeats": self._heartbeats,
            "ended": self._ended,
        }


class FaultLog:
    """The runs that this worker knows. The async methods are handlers of questions from its peers."""

    def __init__(self) -> None:
        self._runs = RunLogs(RunLog)

    async def enter(self, name: str, is_redirected: bool) -> int:
        """Note a request of the run, served by any worker, and return its number."""
        run = self._runs.entered(name)
        run.requests += not is_redirected
        return run.requests

    def begin(self, name: str, number: int, last_event_id: str | None, opened_ns: int) -> StreamLog:
        """Return the log of a request that this worker serves and has entered."""
        run = self._runs.known(name)
        run.totals["streams"] += 1
        stream = StreamLog(run, number, last_event_id, opened_ns)
        if len(run.streams) < MAX_STREAMS:
            run.streams.append(stream)
        return stream

    def redirect(self, name: str) -> None:
        """Count a redirect by this worker."""
        self._runs.known(name).totals["redirected"] += 1

    async def forget(self, name: str) -> None:
        """Delete the log of a run."""
        self._runs.forget(name)

    async def report(self, name: str) -> dict[str, Any] | None:
        """Return a RunReport of report.py for this worker, or None for an unknown run."""
        run = self._runs.get(name)
        if run is None:
            return None
        totals = {key: run.totals[key] for key in Totals.model_fields if key != "ended"}
        return {
            "run": name,
            "totals": {**totals, "ended": {how: count for how, count in run.endings.items() if count}},
            "streams": [stream.report() for stream in run.streams],
            "is_cut": run.totals["streams"] > len(run.streams),
        }
