"""Measures the answer of an LLM to one request: when its chunks arrived.

Pure. A chunk (``llm_answer.py``) may hold several tokens: the server's ``usage`` counts these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sseclient_cli.errors import SseError
from sseclient_cli.measure.answer_choice import LlmChoice
from sseclient_cli.measure.chunk_bursts import ChunkBursts
from sseclient_cli.measure.chunk_times import ChunkTimes
from sseclient_cli.measure.llm_answer import LlmAnswer, Text
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.merging import added
from sseclient_cli.measure.request_probe import Moment, RequestMeasurement, RequestProbe
from sseclient_cli.measure.slo import Objective, judge
from sseclient_cli.sse.event_stream import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmMeasurement(RequestMeasurement):
    """What the probes of a worker share."""

    choice: LlmChoice = field(default_factory=LlmChoice)
    figures: LlmTotals = field(default_factory=LlmTotals)
    tokens_of: Callable[[str], int] | None = None
    """Counts the tokens of an answer that the server has not counted; None if nothing can."""

    def __post_init__(self) -> None:
        self.totals.llm = self.figures

    def probe(self, number: int, turn: int | None) -> LlmProbe:
        """Return the probe of a new request."""
        return LlmProbe(self, turn)


class LlmProbe(RequestProbe):
    """The probe of one request. ``turn`` is its number in a conversation, from 0; None without one."""

    __slots__ = ("_answer", "_bursts", "_has_first_event", "_llm", "_output_tokens", "_times", "_turn")

    def __init__(self, measurement: LlmMeasurement, turn: int | None = None) -> None:
        super().__init__(measurement)
        self._llm = measurement
        keeps_text = turn is not None or measurement.tokens_of is not None
        self._answer = LlmAnswer(measurement.choice.api.shape, keeps_text=keeps_text)
        self._bursts = ChunkBursts()
        self._times = ChunkTimes()
        self._has_first_event = False
        """Whether the read of the first chunk has the first event, too."""
        self._turn = turn
        self._output_tokens: int | None = None

    @property
    def answer_text(self) -> str:
        """The content of the answer, for the next request of its conversation; empty without a conversation."""
        return self._answer.content

    def read(self, events: list[Event], others: Moment, last: Moment) -> bool:
        """Read the events of one read. Return whether they complete the answer."""
        answer = self._answer
        texts = []
        for event in events:
            texts.append(answer.read(event))
            if answer.is_complete:
                break
        chunks = [text for text in texts if text is not Text.NONE]
        if chunks:
            if not self._times.chunks:
                self._has_first_event = self._is_with_first_event(others)
            # Events without text after the last chunk (finish reason, usage, end mark) are sent together with it, so
            # that it arrived with the last byte of the answer.
            of_last = Moment(last.at_ns, 0) if answer.is_complete else last if texts[-1] is not Text.NONE else others
            first_answer = chunks.index(Text.ANSWER) if Text.ANSWER in chunks else None
            self._times.take(len(chunks), first_answer, others, of_last)
            self._bursts.take(len(chunks), last.at_ns, others.uncertainty_ns, self._sent_ns)
        return answer.is_complete

    def _is_with_first_event(self, moment: Moment) -> bool:
        """Return whether the first event of the answer is one of this read, and did not arrive long before its end."""
        first, spread_ns = self._first_chunk, moment.uncertainty_ns
        is_of_this_read = first is not None and first.at_ns == moment.at_ns
        return is_of_this_read and spread_ns is not None and 2 * spread_ns <= moment.at_ns - self._sent_ns

    def first_chunk_us(self) -> int | None:
        """Return the time to the first event; if it shares its read with the first chunk, the time to this."""
        return self._times.first_us(self._sent_ns) if self._has_first_event else super().first_chunk_us()

    def failure(self) -> SseError | None:
        """Return why the response is no complete answer."""
        return self._answer.failure()

    def add_answer(self, first_chunk_us: int | None) -> None:
        """Add the figures of the answer."""
        answer, times, totals, samples = self._answer, self._times, self._llm.figures, self._llm.samples
        times.close()
        totals.chunks += times.chunks
        totals.chunks_together += times.together
        totals.chunks_estimated += times.estimated
        totals.empty += not times.chunks
        if answer.stream.shape is not None:
            totals.apis[answer.stream.shape.value] += 1
        if answer.finish_reason:
            totals.count_finish(answer.finish_reason)
        self._count_tokens()
        values_us = {Objective.FIRST_CHUNK: first_chunk_us, **self._values_us()}
        for objective, values in (
            (Objective.FIRST_TOKEN, samples.first_token),
            (Objective.FIRST_ANSWER, samples.first_answer),
            (Objective.TPOT, samples.tpot),
        ):
            value_us = values_us[objective]
            if value_us is not None:
                values.append(value_us)
        samples.token_gap.extend(times.gaps_us)
        self._bursts.close()
        for chunks, pause_us in self._bursts.found:
            samples.burst_chunks.append(chunks)
            samples.burst_pause.append(pause_us)
        if self._turn is not None:
            totals.count_turn(self._turn, values_us[Objective.FIRST_TOKEN])
        if self._llm.choice.slo:
            totals.judge(judge(self._llm.choice.slo, values_us))

    def _count_tokens(self) -> None:
        totals, usage = self._llm.figures, self._answer.usage
        totals.count_tokens(usage)
        self._output_tokens = usage.output_tokens
        if usage.output_tokens is None and self._llm.tokens_of is not None:
            # Of the whole answer: a token may be divided between two chunks.
            self._output_tokens = self._llm.tokens_of(self._answer.text)
            totals.tokenized_answers += 1
            totals.output_tokens = added(totals.output_tokens, self._output_tokens)

    def _values_us(self) -> dict[Objective, int | None]:
        times, sent_ns = self._times, self._sent_ns
        return {
            Objective.FIRST_TOKEN: times.first_us(sent_ns),
            Objective.FIRST_ANSWER: times.first_answer_us(sent_ns),
            Objective.TPOT: self._tpot_us(),
            Objective.TOKEN_GAP: max(times.gaps_us, default=None),
            Objective.DURATION: (self._ended_ns - sent_ns) // 1000,
        }

    def _tpot_us(self) -> int | None:
        """Return (last - first token) / (tokens - 1); None without a count of tokens, or with less than two."""
        tokens, total_us = self._output_tokens, self._times.total_us()
        return None if tokens is None or tokens < 2 or total_us is None else round(total_us / (tokens - 1))
