"""The requests of a run and their answers, in a form that merges: how many succeeded, and how long they took.

Pure. A request is a stream with an end that the API defines. Figures are of the answers that succeeded; failed ones
have a duration of their own. A request that began in the warm-up counts in ``warm_up`` alone.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field, fields
from enum import Enum

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.mcp_totals import McpTotals
from sseclient_cli.measure.merging import (
    Merging,
    largest_known,
    mergeable,
    part,
    part_if_any,
    smallest_known,
    summed,
)


@mergeable
@dataclass(slots=True)
class RequestTotals(Merging):
    """The requests that were sent after the warm-up."""

    succeeded: int = summed()
    failed: int = summed()
    unfinished: int = summed()
    """Requests whose answer the end of the run, or the end of a stream's lifetime, cut."""
    warm_up: int = summed()
    """Requests that were sent during the warm-up."""
    untimed: int = summed()
    """Durations that are not known: see ``request_probe.py``."""
    first_sent_us: int | None = smallest_known()
    """When the first request was sent, from the start of the run."""
    last_ended_us: int | None = largest_known()
    """When the last answer ended, or failed."""
    first_chunk: Histogram = part(Histogram)
    duration: Histogram = part(Histogram)
    failed_after: Histogram = part(Histogram)
    """From the sending of a failed request until its failure was known."""
    llm: LlmTotals | None = part_if_any()
    """The figures of LLM answers; None for other requests."""
    mcp: McpTotals | None = part_if_any()
    """The figures of answers to MCP requests; None for other requests."""

    def begun(self, sent_us: int) -> None:
        """Note a request that was sent at this time of the run."""
        self.first_sent_us = sent_us if self.first_sent_us is None else min(self.first_sent_us, sent_us)

    def over(self, ended_us: int) -> None:
        """Note an answer that ended or failed at this time of the run."""
        self.last_ended_us = ended_us if self.last_ended_us is None else max(self.last_ended_us, ended_us)


def per_s(count: int, first_sent_us: int | None, last_ended_us: int | None) -> float | None:
    """Return a rate from the first sent request to the last ended answer; None without that time."""
    if first_sent_us is None or last_ended_us is None or last_ended_us <= first_sent_us:
        return None
    return count * 1_000_000 / (last_ended_us - first_sent_us)


class RequestLatency(Enum):
    """The durations of requests that are shown during a run, named as in the report."""

    FIRST_TOKEN = "first_token"
    TOKEN_GAP = "token_gap"
    DURATION = "duration"

    @property
    def path(self) -> str:
        """The path in the report."""
        return f"{'requests' if self is RequestLatency.DURATION else 'llm'}.{self.value}"


@dataclass(slots=True)
class RequestSamples:
    """The durations since the last tick, in us. Each is folded into the histogram of the same name."""

    first_chunk: array[int] = field(default_factory=lambda: array("q"))
    duration: array[int] = field(default_factory=lambda: array("q"))
    failed_after: array[int] = field(default_factory=lambda: array("q"))
    first_token: array[int] = field(default_factory=lambda: array("q"))
    first_answer: array[int] = field(default_factory=lambda: array("q"))
    token_gap: array[int] = field(default_factory=lambda: array("q"))
    tpot: array[int] = field(default_factory=lambda: array("q"))
    burst_chunks: array[int] = field(default_factory=lambda: array("q"))
    burst_pause: array[int] = field(default_factory=lambda: array("q"))

    def fold(self, totals: RequestTotals) -> dict[str, Counter[int]]:
        """Move the samples into the totals. Return their values with counts, by name."""
        folded = {}
        for name in _SAMPLES:
            values: array[int] = getattr(self, name)
            if values:
                folded[name] = Counter(values)
                getattr(totals if name in _OF_ALL else totals.llm, name).record(folded[name])
                del values[:]
        return folded


_SAMPLES = tuple(each.name for each in fields(RequestSamples))
_OF_ALL = {each.name for each in fields(RequestTotals)}
