"""The log of LLM requests: when each part of an answer was sent, per run, to compare with the results of a client.

Bounded: the oldest runs are evicted and lists are cut, but counts are exact. Times are the moments before the bytes
were handed to the kernel, or, if the client is too slow for them, after the kernel has taken them. They are on the
clock of kernel timestamps (CLOCK_REALTIME), in us since the arrival of the request.

Each worker (workers/peers.py) logs the requests that it serves. All workers are told of every request in the same
order, so they agree on its number and on the evicted runs.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

from demo_server.llm.answer import Ending, Part
from demo_server.llm.events import Mark
from demo_server.streams.arrival import Arrival
from demo_server.workers.run_logs import RunLogs

MAX_REQUESTS = 5_000  # listed per run: about 2 MB of JSON
MAX_GAPS_IN_RUN = 250_000  # 500 answers of 500 tokens: 2 MB of memory, at most 3 MB of JSON


class RunLog:
    """The log of one run."""

    def __init__(self) -> None:
        self.numbered = 0
        self.requests: list[RequestLog] = []
        self.logged = self.tokens = self.chunks = 0
        self.endings: Counter[str] = Counter()
        self.gap_capacity = MAX_GAPS_IN_RUN


class RequestLog:
    """The log of one request."""

    __slots__ = (
        *("_answer_us", "_api", "_arrival", "_chunks", "_done_us", "_end_us", "_ended", "_finish_reason", "_first_us"),
        *("_gaps_us", "_head_us", "_is_stream", "_last_us", "_number", "_reasoning", "_role_us", "_run", "_started_us"),
        *("_status", "_token_us", "_tokens"),
    )

    def __init__(
        self, run: RunLog, number: int, api: str, arrival: Arrival, started_ns: int, *, is_stream: bool
    ) -> None:
        self._run, self._number, self._api, self._arrival, self._is_stream = run, number, api, arrival, is_stream
        self._started_us = self._us(started_ns)
        self._head_us: int | None = None
        self._first_us: int | None = None
        self._role_us: int | None = None
        self._token_us: int | None = None
        self._answer_us: int | None = None
        self._last_us: int | None = None
        self._done_us: int | None = None
        self._end_us: int | None = None
        self._status: int | None = None
        self._ended: Ending | None = None
        self._finish_reason: str | None = None
        self._tokens = self._reasoning = self._chunks = 0
        self._gaps_us = array("Q")
        run.endings["open"] += 1

    def answered(self, status: int, sent_ns: int) -> None:
        """Log the head of the response."""
        self._status, self._head_us = status, self._us(sent_ns)

    def sent(self, marks: tuple[Mark, ...], sent_ns: int) -> None:
        """Log the events of one write."""
        sent_us = self._us(sent_ns)
        if self._first_us is None:
            self._first_us = sent_us
        for part, tokens in marks:
            if tokens:
                self._tokens += tokens
                self._chunks += 1
                self._sent_text(part, tokens, sent_us)
            elif part is Part.START:
                self._role_us = sent_us
            elif part is Part.DONE:
                self._done_us = sent_us

    def _sent_text(self, part: Part, tokens: int, sent_us: int) -> None:
        """Log an event with tokens."""
        run, last_us = self._run, self._last_us
        self._last_us = sent_us
        run.tokens += tokens
        run.chunks += 1
        if last_us is None:
            self._token_us = sent_us
        elif run.gap_capacity:
            run.gap_capacity -= 1
            gap_us = sent_us - last_us
            self._gaps_us.append(gap_us if gap_us > 0 else 0)  # negative if the wall clock was set back
        if part is Part.REASONING:
            self._reasoning += tokens
        elif self._answer_us is None:
            self._answer_us = sent_us

    def finish(self, reason: str) -> None:
        """Log that the answer is complete."""
        self._finish_reason = reason

    def end(self, ending: Ending, sent_ns: int) -> None:
        """Log the end of the response."""
        self._ended, self._end_us = ending, self._us(sent_ns)
        self._run.endings["open"] -= 1
        self._run.endings[ending.value] += 1

    def _us(self, wall_ns: int) -> int:
        return (wall_ns - self._arrival.received_ns) // 1000

    def report(self) -> dict[str, Any]:
        """Return a RequestReport of report.py."""
        return {
            "number": self._number,
            "api": self._api,
            "is_stream": self._is_stream,
            "status": self._status,
            "received_ns": self._arrival.received_ns,
            "is_received_exact": self._arrival.is_exact,
            "read_us": self._us(self._arrival.read_ns),
            "started_us": self._started_us,
            "head_us": self._head_us,
            "first_event_us": self._first_us,
            "role_us": self._role_us,
            "first_token_us": self._token_us,
            "first_answer_us": self._answer_us,
            "last_token_us": self._last_us,
            "done_us": self._done_us,
            "end_us": self._end_us,
            "tokens": self._tokens,
            "reasoning_tokens": self._reasoning,
            "chunks": self._chunks,
            "finish_reason": self._finish_reason,
            "gaps_us": self._gaps_us.tolist(),
            "is_cut": self._chunks > len(self._gaps_us) + 1,
            "ended": None if self._ended is None else self._ended.value,
        }


class TruthLog:
    """The runs that this worker knows. The async methods are handlers of questions from its peers."""

    def __init__(self) -> None:
        self._runs = RunLogs(RunLog)

    async def enter(self, name: str) -> int:
        """Note a request of the run, served by any worker, and return its number."""
        run = self._runs.entered(name)
        run.numbered += 1
        return run.numbered

    def begin(
        self, name: str, number: int, api: str, arrival: Arrival, started_ns: int, *, is_stream: bool
    ) -> RequestLog:
        """Return the log of a request that this worker serves and has entered."""
        run = self._runs.known(name)
        run.logged += 1
        request = RequestLog(run, number, api, arrival, started_ns, is_stream=is_stream)
        if len(run.requests) < MAX_REQUESTS:
            run.requests.append(request)
        return request

    async def forget(self, name: str) -> None:
        """Delete the log of a run."""
        self._runs.forget(name)

    async def report(self, name: str) -> dict[str, Any] | None:
        """Return a RunReport of report.py for this worker, or None for an unknown run."""
        run = self._runs.get(name)
        if run is None:
            return None
        return {
            "run": name,
            "totals": {
                "requests": run.logged,
                "tokens": run.tokens,
                "chunks": run.chunks,
                "ended": {how: count for how, count in run.endings.items() if count},
            },
            "requests": [request.report() for request in run.requests],
            "is_cut": run.logged > len(run.requests),
        }
