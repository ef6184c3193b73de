"""Examine one endpoint: open the stream, send the other requests beside it, and judge the recordings.

Nothing changes on the server: every request is a GET, HEAD or OPTIONS, and the first one that of the caller. With
another method, only the caller's own request is sent, once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field

from sseclient_cli.check.bodies import judge_body
from sseclient_cli.check.catalogue import Check, Result
from sseclient_cli.check.cors import judge_cors, judge_preflight
from sseclient_cli.check.flow import (
    BUSY_S,
    ENOUGH_BURSTS,
    groups_of,
    heartbeat_interval_s,
    judge_bursts,
    judge_heartbeat,
)
from sseclient_cli.check.heads import judge_head
from sseclient_cli.check.probing import StreamProbe, head_of, id_like, protocol_of, wait_until, with_headers
from sseclient_cli.check.recording import End, Recording
from sseclient_cli.check.replay import Resumption, is_decided, judge_replay, judge_unknown_id
from sseclient_cli.check.requests import (
    judge_compression,
    judge_ending,
    judge_head_request,
    judge_http2,
)
from sseclient_cli.check.words import counted, time_words
from sseclient_cli.errors import UnansweredError
from sseclient_cli.request.target import Target
from sseclient_cli.sse.content_coding import readable_codings
from sseclient_cli.sse.event_stream import DEFAULT_MAX_EVENT_BYTES

ENOUGH_EVENTS = 10
"""Events that show sizes, IDs and bursts."""

BUSY_AFTER_S = 10.0
"""A stream that was never silent for BUSY_S until then shows no heartbeat later."""

MISSED_EVENTS = 3
"""Events that a resumed stream must send again."""

ANSWER_S = 8.0
"""The time limit for a response head; a server that holds HEAD open is found after it."""

REPLAY_S = 10.0
"""The time limit for missed events to come again."""

NEXT_EVENT_S = 3.0
"""How long to wait for an event after the missed ones, to see that none is lost in between."""

FIRST_ID_S = 5.0
UNKNOWN_ID_S = 2.0
AFTER_END_S = 3.0
COMPRESSION_S = 10.0

SAFE_METHOD = "GET"

FOREIGN_ORIGIN = "https://example.com"
"""The origin of the CORS requests, unless the caller gives one (RFC 2606: it belongs to no user)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to examine. ``ignored`` checks are not judged. ``origin`` must be allowed by CORS."""

    duration_s: float = 30.0
    origin: str | None = None
    ignored: frozenset[Check] = field(default_factory=frozenset)
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES


@dataclass(frozen=True, slots=True)
class Examination:
    """The results in the order of ``Check``, and the recorded stream."""

    results: tuple[Result, ...]
    recording: Recording
    started_s: float
    duration_s: float


async def examine(target: Target, settings: Settings) -> Examination:
    """Examine an endpoint. Raises SseError if it is not reachable, or not an event stream."""
    started_s, began_s = time.time(), time.monotonic()
    doctor = _Doctor(target, settings)
    found = {result.check: result for result in await doctor.results()}
    for check in settings.ignored:
        found[check] = check.not_checked("ignored")
    assert doctor.stream.recording is not None
    results = tuple(found[check] for check in Check)
    return Examination(results, doctor.stream.recording, started_s, time.monotonic() - began_s)


class _Doctor:
    def __init__(self, target: Target, settings: Settings) -> None:
        self._target = target
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._ends_s = self._loop.time() + settings.duration_s
        self.stream = self._open(target, target.last_event_id)

    async def results(self) -> list[Result]:
        """Return the result of each check."""
        try:
            recording = await self._opened()
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(probe) for probe in self._probes()]
                group.create_task(self._watch(recording))
            results = [result for other in others for result in other.result()]
            results.append(await self._ending(recording))
        finally:
            await self.stream.close()
        # The stream is judged last: it was recorded while the others ran.
        return [
            *results,
            *judge_head(recording),
            *judge_body(recording, is_resumable=self._target.method == SAFE_METHOD),
            judge_heartbeat(recording),
            judge_bursts(recording),
        ]

    def _open(self, target: Target, last_event_id: str = "") -> StreamProbe:
        return StreamProbe(target, last_event_id, self._settings.max_event_bytes)

    def _within(self, limit_s: float) -> float:
        """Return the end of a wait, which the end of the examination limits."""
        return min(self._loop.time() + limit_s, self._ends_s)

    def _left_s(self, limit_s: float) -> float:
        return max(self._within(limit_s) - self._loop.time(), 0.1)

    async def _opened(self) -> Recording:
        await wait_until(lambda: self.stream.is_answered, self._ends_s)
        if self.stream.recording is not None:
            return self.stream.recording
        raise self.stream.error or UnansweredError(
            f"{self._target.redacted_url} sent no response head within {self._settings.duration_s:g} s: a server or a "
            "proxy that holds it back until the first event must send and flush it at once"
        )

    async def _watch(self, recording: Recording) -> None:
        """Watch the stream until its events and its heartbeat are known."""

        def is_known() -> bool:
            if self.stream.is_over:
                return True
            now_ns = time.time_ns()
            watched_s = (now_ns - recording.head.arrived_ns) / 1e9
            is_busy = watched_s >= BUSY_AFTER_S and recording.longest_silence_s(now_ns) < BUSY_S
            has_events = len(recording.events) >= ENOUGH_EVENTS
            return (is_busy and has_events) or (has_events and heartbeat_interval_s(recording) is not None)

        await wait_until(is_known, self._ends_s)

    def _probes(self) -> Iterable[Coroutine[None, None, list[Result]]]:
        yield self._http2()
        if self._target.method == SAFE_METHOD:
            yield from (self._replay(), self._unknown_id(), self._compression(), self._other_requests())
        else:
            yield self._skipped()

    @property
    def _not_repeated(self) -> str:
        return f"a {self._target.method} may change something, so it is not repeated"

    async def _skipped(self) -> list[Result]:
        repeated = (
            Check.REPLAY, Check.UNKNOWN_ID, Check.COMPRESSION, Check.HEAD, Check.CORS, Check.PREFLIGHT,
        )  # fmt: skip
        return [check.not_checked(self._not_repeated) for check in repeated]

    async def _http2(self) -> list[Result]:
        target = self.stream.target
        protocol, problem = None, ""
        if target.parsed_url.scheme == "https":
            protocol, problem = await protocol_of(target, self._left_s(ANSWER_S))
        return [judge_http2(target.parsed_url.scheme, protocol, problem)]

    async def _other_requests(self) -> list[Result]:
        target = self.stream.target
        given = self._settings.origin
        origin = given or FOREIGN_ORIGIN
        names = {name.lower() for name, _ in target.headers}
        wanted = ("last-event-id", *(("authorization",) if "authorization" in names else ()))
        asking = with_headers(
            target,
            ("Origin", origin),
            ("Access-Control-Request-Method", SAFE_METHOD),
            ("Access-Control-Request-Headers", ",".join(sorted(wanted))),
            method="OPTIONS",
        )
        limit_s = self._left_s(ANSWER_S)
        head, cors, preflight = await asyncio.gather(
            head_of(with_headers(target, method="HEAD"), limit_s),
            head_of(with_headers(target, ("Origin", origin)), limit_s),
            head_of(asking, limit_s),
        )
        judged_cors = judge_cors(cors, origin, is_given=given is not None, with_credentials="cookie" in names)
        return [judge_head_request(head), judged_cors, judge_preflight(preflight, cors, origin, wanted)]

    async def _unknown_id(self) -> list[Result]:
        recording = self.stream.recording
        assert recording is not None
        await wait_until(lambda: bool(recording.identified) or self.stream.is_over, self._within(FIRST_ID_S))
        first_ids = [event.id for event in recording.identified[:1]]
        probe = self._open(self._target, id_like(*first_ids))
        try:
            await wait_until(lambda: probe.is_answered, self._within(ANSWER_S))
            answer = probe.recording
            if answer is not None:
                await wait_until(lambda: bool(answer.identified) or probe.is_over, self._within(UNKNOWN_ID_S))
            elif probe.status == 204:  # right for a stream that ends
                await wait_until(lambda: self.stream.is_over, self._within(UNKNOWN_ID_S))
        finally:
            await probe.close()
        return [
            judge_unknown_id(
                probe.recording, probe.status, probe.problem, first_ids, is_ended=recording.end is End.ENDED
            )
        ]

    async def _compression(self) -> list[Result]:
        coding = ", ".join(readable_codings())
        probe = self._open(with_headers(self._target, ("Accept-Encoding", coding)))

        def is_known() -> bool:
            if probe.recording is None:
                return probe.is_over
            is_compressed = "content-encoding" in probe.recording.head.headers
            return not is_compressed or probe.is_over or len(groups_of(probe.recording)) >= ENOUGH_BURSTS

        try:
            await wait_until(is_known, self._within(COMPRESSION_S))
        finally:
            await probe.close()
        assert self.stream.recording is not None
        return [
            judge_compression(
                self.stream.recording, probe.recording, coding, probe.problem, is_timeout=probe.is_unanswered
            )
        ]

    async def _replay(self) -> list[Result]:
        recording = self.stream.recording
        assert recording is not None
        await wait_until(
            lambda: len(recording.identified) > MISSED_EVENTS or self.stream.is_over,
            self._within(self._settings.duration_s / 2),
        )
        known = len(recording.identified)
        if known < 2:
            seen = counted(known, "event") + " with an ID"
            return [Check.REPLAY.not_checked(f"only {seen} within {time_words(self._settings.duration_s / 2)}")]
        place = max(known - 1 - MISSED_EVENTS, 0)
        probe = self._open(self._target, recording.identified[place].id)

        def resumption() -> Resumption:
            return Resumption(
                recording.identified, place, known - 1 - place, probe.recording, probe.status, probe.problem
            )

        try:
            await wait_until(lambda: probe.is_answered, self._within(ANSWER_S))
            if probe.recording is not None:
                await wait_until(lambda: probe.is_over or is_decided(resumption()), self._within(REPLAY_S))
                answer = probe.recording
                await wait_until(
                    lambda: probe.is_over or len(answer.identified) > known - 1 - place, self._within(NEXT_EVENT_S)
                )
        finally:
            await probe.close()
        return [judge_replay(resumption())]

    async def _ending(self, recording: Recording) -> Result:
        if recording.end is End.ENDED and self._target.method != SAFE_METHOD:
            return Check.ENDING.not_checked(self._not_repeated)
        if recording.end is not End.ENDED:
            return judge_ending(recording, None)
        last = recording.events[-1].id if recording.events else self._target.last_event_id
        probe = self._open(self._target, last)
        try:
            await wait_until(lambda: probe.is_answered, self._loop.time() + AFTER_END_S)
        finally:
            await probe.close()
        return judge_ending(recording, probe.status)
