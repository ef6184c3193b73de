"""What /faults really did, per run and stream: the truth that a client's own account is held against.

Bounded: the oldest runs are forgotten, and lists are cut, but counts are exact. "Sent" is what the kernel
took; a reset destroys what is still on its way to a slow client.

Each worker (peers.py) has the accounts of the streams that it sent itself. All of them hear of every request, in the
same order, and so agree on its number and on which runs are forgotten.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

MAX_RUNS = 32
MAX_STREAMS = 500  # of a run, listed one by one
MAX_LISTED = 1_000  # numbers in one list
MAX_LISTED_IN_RUN = 50_000  # numbers in all lists of a run: some 2 MB, and never more than 1 MB of JSON
MAX_ID_CHARS = 100  # of a last event id


class Numbers(BaseModel):
    """Which events something happened to."""

    count: int
    listed: Annotated[list[int], Field(description="The first of them, in the order in which it happened.")]
    is_cut: Annotated[bool, Field(description="Whether there were more than are listed.")]


class Sent(BaseModel):
    """Which events the kernel took; a duplicate counts twice."""

    count: int
    first: int | None
    last: int | None
    smallest: int | None
    largest: int | None


class StreamTruth(BaseModel):
    """One request that was answered with events, or refused with a status."""

    number: Annotated[int, Field(description="Of the request within the run, from 1; redirects are not numbered.")]
    opened_ns: Annotated[int, Field(description="When the request came, in ns since 1970.")]
    last_event_id: str | None
    status: Annotated[int | None, Field(description="What it was answered with; null: not yet, or it left before.")]
    sent: Sent
    dropped: Numbers
    duplicated: Numbers
    reordered: Annotated[Numbers, Field(description="Sent after a larger number had been sent.")]
    unsent: Annotated[Numbers, Field(description="Overtaken by a larger number and then never sent: the end came.")]
    heartbeats: int
    ended: Annotated[
        str | None,
        Field(description="count, close, reset, truncate, client (it left), shutdown, refused; null: still open."),
    ]


class Totals(BaseModel):
    """The sums of all streams of a run, those that are not listed included."""

    streams: int
    redirected: Annotated[int, Field(description="Requests that were answered with a redirect.")]
    sent: int
    dropped: int
    duplicated: int
    reordered: int
    unsent: int
    heartbeats: int
    ended: Annotated[dict[str, int], Field(description="How many ended in which way; `open`: not yet.")]


class RunTruth(BaseModel):
    """What happened in a run."""

    run: str
    totals: Totals
    streams: Annotated[list[StreamTruth], Field(description="In the order of their requests.")]
    is_cut: Annotated[bool, Field(description="Whether there were more streams than are listed.")]


class Run:
    """The streams of one run, and how many numbers their lists may still take."""

    def __init__(self) -> None:
        self.requests = 0
        self.accounts: list[Account] = []
        self.totals: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.room = MAX_LISTED_IN_RUN


class NumberList:
    """Numbers that something happened to: all counted, the first ones listed."""

    __slots__ = ("_name", "_run", "count", "listed")

    def __init__(self, name: str, run: Run) -> None:
        self.count = 0
        self.listed: list[int] = []
        self._name = name
        self._run = run

    def add(self, number: int) -> None:
        """Count a number, and list it if there is room."""
        self.count += 1
        self._run.totals[self._name] += 1
        if len(self.listed) < MAX_LISTED and self._run.room:
            self.listed.append(number)
            self._run.room -= 1

    def report(self) -> dict[str, Any]:
        """Return what is known of them."""
        return {"count": self.count, "listed": list(self.listed), "is_cut": self.count > len(self.listed)}


class Account:
    """What happens to one stream."""

    def __init__(self, run: Run, number: int, last_event_id: str | None, opened_ns: int) -> None:
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
        self._overtaken: set[int] = set()  # never more than a block of `reorder` holds
        self._heartbeats = 0
        self._ended: str | None = None
        run.endings["open"] += 1

    def answered(self, status: int) -> None:
        """Note the head of the response."""
        self.status = status

    def dropped(self, seq: int) -> None:
        """Note an event that was left out on purpose."""
        self._dropped.add(seq)
        self._pass(seq)

    def sent(self, seq: int) -> None:
        """Note an event that the kernel took."""
        self._run.totals["sent"] += 1
        self._sent += 1
        if seq == self._last:  # a duplicate follows on itself
            self._duplicated.add(seq)
            return
        if seq < self._largest:
            self._reordered.add(seq)
        if self._first is None or self._smallest is None:
            self._first = self._smallest = seq
        self._last, self._smallest, self._largest = seq, min(seq, self._smallest), max(seq, self._largest)
        self._pass(seq)

    def begins(self, first_seq: int) -> None:
        """Note the smallest number that the stream is to send."""
        self._next = first_seq

    def _pass(self, seq: int) -> None:
        """Note that it was this number's turn."""
        begin = seq if self._next is None else self._next
        self._overtaken.discard(seq)
        self._overtaken.update(range(begin, seq))
        self._next = max(begin, seq + 1)

    def heartbeat(self) -> None:
        """Note a heartbeat."""
        self._heartbeats += 1
        self._run.totals["heartbeats"] += 1

    def end(self, how: str) -> None:
        """Note how the stream ended."""
        self._ended = how
        for seq in sorted(seq for seq in self._overtaken if seq < self._largest):
            self._unsent.add(seq)
        self._run.endings["open"] -= 1
        self._run.endings[how] += 1

    def report(self) -> dict[str, Any]:
        """Return a StreamTruth."""
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


class Runs:
    """All runs of this server, as one worker knows them. What is async is an answer to a question of its peers."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    async def enter(self, name: str, is_redirected: bool) -> int:
        """Take note of a request of the run, whichever worker has it, and return its number."""
        run = self._runs.setdefault(name, Run())
        self._runs.move_to_end(name)  # the oldest is the one whose last request is longest ago
        if len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
        run.requests += not is_redirected
        return run.requests

    def begin(self, name: str, number: int, last_event_id: str | None, opened_ns: int) -> Account:
        """Return the account of a request that this worker has, and has entered."""
        run = self._entered(name)
        run.totals["streams"] += 1
        account = Account(run, number, last_event_id, opened_ns)
        if len(run.accounts) < MAX_STREAMS:
            run.accounts.append(account)
        return account

    def redirect(self, name: str) -> None:
        """Count a redirect by this worker."""
        self._entered(name).totals["redirected"] += 1

    async def forget(self, name: str) -> None:
        """Have the run begin anew."""
        self._runs.pop(name, None)

    async def report(self, name: str) -> dict[str, Any] | None:
        """Return a RunTruth of this worker, or None where nothing is known of the run."""
        run = self._runs.get(name)
        if run is None:
            return None
        totals = {key: run.totals[key] for key in Totals.model_fields if key != "ended"}
        return {
            "run": name,
            "totals": {**totals, "ended": {how: count for how, count in run.endings.items() if count}},
            "streams": [account.report() for account in run.accounts],
            "is_cut": run.totals["streams"] > len(run.accounts),
        }

    def _entered(self, name: str) -> Run:
        # One that was forgotten since is not brought back, nor is the order touched: only this worker would do so.
        return self._runs.get(name) or Run()


def merge_reports(reports: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Return the truth of all workers from that of each."""
    parts = [report for report in reports if report is not None]
    if not parts:
        return None
    totals = {key: sum(part["totals"][key] for part in parts) for key in Totals.model_fields if key != "ended"}
    ended = sum((Counter(part["totals"]["ended"]) for part in parts), Counter[str]())
    streams = sorted((stream for part in parts for stream in part["streams"]), key=lambda stream: stream["number"])
    return {
        "run": parts[0]["run"],
        "totals": {**totals, "ended": dict(sorted(ended.items()))},
        "streams": streams[:MAX_STREAMS],
        "is_cut": len(streams) > MAX_STREAMS or any(part["is_cut"] for part in parts),
    }
