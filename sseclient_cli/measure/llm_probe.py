"""Measures the answer of an LLM to one request.

Pure. A chunk is an event with generated text: content, reasoning, a refusal, or the arguments of a tool call. The role
chunk of OpenAI's API and the events of Anthropic's around the text are none. A chunk may hold several tokens: the
server's ``usage`` counts these.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from sseclient_cli.errors import AnswerError, IncompleteAnswerError, SseError
from sseclient_cli.measure.llm_totals import LlmTotals
from sseclient_cli.measure.request_probe import Moment, RequestMeasurement, RequestProbe
from sseclient_cli.measure.slo import Limit, Objective, judge
from sseclient_cli.payload.llm_api import LlmApi, Usage
from sseclient_cli.payload.llm_text import END_MARKS, GENERATED, ChunkKind, LlmShape, LlmStream
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.response_errors import shown_text
from sseclient_cli.sse.event_stream import Event


@dataclass(frozen=True, slots=True)
class LlmChoice:
    """What a run with LLM requests measures. Part of the plan."""

    api: LlmApi = LlmApi.AUTO
    slo: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmMeasurement(RequestMeasurement):
    """What the probes of a worker share."""

    choice: LlmChoice = field(default_factory=LlmChoice)
    figures: LlmTotals = field(default_factory=LlmTotals)

    def __post_init__(self) -> None:
        self.totals.llm = self.figures


class LlmProbe(RequestProbe):
    """The probe of one request."""

    __slots__ = (
        "_chunks", "_error", "_events", "_finish_reason", "_first_answer", "_first_token", "_gaps_us", "_last_chunk",
        "_llm", "_stream", "_texts", "_together", "_turn", "_usage",
    )  # fmt: skip

    def __init__(self, measurement: LlmMeasurement, turn: int | None = None) -> None:
        super().__init__(measurement)
        self._llm = measurement
        self._stream = LlmStream(measurement.choice.api.shape)
        self._usage = Usage()
        self._events = 0
        self._chunks = 0
        self._together = 0
        self._first_token: Moment | None = None
        self._first_answer: Moment | None = None
        self._last_chunk: Moment | None = None
        self._gaps_us = array("q")
        self._finish_reason = ""
        self._error: str | None = None
        self._turn = turn
        self._texts: list[str] | None = None if turn is None else []

    @property
    def answer_text(self) -> str:
        """The content of the answer, for the next request of its conversation; empty without a conversation."""
        return "".join(self._texts or ())

    def read(self, event: Event, moment: Moment) -> bool:
        """Read the next event. Return whether it ends the answer."""
        self._events += 1
        parsed = ParsedEvent(event)
        has_text = has_answer = is_last = False
        for chunk in self._stream.read(parsed):
            kind = chunk.kind
            if kind in GENERATED:
                has_text = True
                has_answer = has_answer or kind is not ChunkKind.REASONING
                if self._texts is not None and kind is ChunkKind.CONTENT:
                    self._texts.append(chunk.text)
            elif kind is ChunkKind.FINISH:
                self._finish_reason = chunk.text
            elif kind is ChunkKind.DONE:
                is_last = True
            elif kind is ChunkKind.ERROR:
                self._error, is_last = chunk.text, True
        if isinstance(parsed.value, dict):
            self._usage = self._usage.updated(parsed.value)
        if has_text:
            self._take(moment, has_answer=has_answer)
        return is_last

    def _take(self, moment: Moment, *, has_answer: bool) -> None:
        """Record the arrival of a chunk."""
        self._chunks += 1
        last = self._last_chunk
        if last is None:
            self._first_token = moment
        elif last.at_ns == moment.at_ns:
            self._together += 1
        else:
            gap_us = self._between_us(last, moment)
            if gap_us is not None:
                self._gaps_us.append(gap_us)
        self._last_chunk = moment
        if has_answer and self._first_answer is None:
            self._first_answer = moment

    def failure(self) -> SseError | None:
        """Return why the response is no complete answer: an error in it, no API's form, or no end mark."""
        if self._error is not None:
            return AnswerError(f"the answer has an error: {shown_text(self._error)}")
        if self.is_complete:
            return None
        shape = self._stream.shape
        if shape is None or not self._events:
            return IncompleteAnswerError("the response ended without an event of a known LLM API")
        if shape is LlmShape.GEMINI and self._finish_reason:
            return None
        after = f", after finish reason {shown_text(self._finish_reason)!r}" if self._finish_reason else ""
        mark = END_MARKS.get(shape, "a finish reason")
        return IncompleteAnswerError(f"the answer ended without {mark}{after}: {self._chunks:,} chunks had arrived")

    def add_answer(self, first_chunk_us: int | None) -> None:
        """Add the figures of the answer."""
        totals, samples = self._llm.figures, self._llm.samples
        totals.chunks += self._chunks
        totals.chunks_together += self._together
        totals.empty += not self._chunks
        if self._stream.shape is not None:
            totals.apis[self._stream.shape.value] += 1
        if self._finish_reason:
            totals.count_finish(self._finish_reason)
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
        samples.token_gap.extend(self._gaps_us)
        if self._turn is not None:
            totals.count_turn(self._turn, values_us[Objective.FIRST_TOKEN])
        if self._llm.choice.slo:
            self._judge(values_us)

    def _count_tokens(self) -> None:
        totals, usage = self._llm.figures, self._usage
        totals.counted_answers += usage.output_tokens is not None
        totals.input_tokens += usage.input_tokens or 0
        totals.output_tokens += usage.output_tokens or 0
        totals.reasoning_tokens += usage.reasoning_tokens or 0

    def _values_us(self) -> dict[Objective, int | None]:
        return {
            Objective.FIRST_TOKEN: self._since_sent_us(self._first_token),
            Objective.FIRST_ANSWER: self._since_sent_us(self._first_answer),
            Objective.TPOT: self._tpot_us(),
            Objective.TOKEN_GAP: max(self._gaps_us, default=None),
            Objective.DURATION: (self._ended_ns - self._sent_ns) // 1000,
        }

    def _tpot_us(self) -> int | None:
        """Return (last - first token) / (tokens - 1); None without a count of tokens, or with less than two."""
        tokens, first, last = self._usage.output_tokens, self._first_token, self._last_chunk
        if tokens is None or tokens < 2 or first is None or last is None or self._chunks < 2:
            return None
        total_us = self._between_us(first, last)
        return None if total_us is None else round(total_us / (tokens - 1))

    def _judge(self, values_us: dict[Objective, int | None]) -> None:
        totals = self._llm.figures
        found = judge(self._llm.choice.slo, values_us)
        for limit, is_met in found.items():
            if is_met is not None:
                (totals.met if is_met else totals.missed)[str(limit)] += 1
        if all(found.values()):
            totals.good += 1
        elif False not in found.values():
            totals.unjudged += 1
