"""Judge the responses to other requests: compression, HTTP/2, HEAD, and the request after the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sseclient_cli.check.catalogue import Check, Result
from sseclient_cli.check.flow import ENOUGH_BURSTS, groups_of, is_bursty
from sseclient_cli.check.recording import End, Recording, is_limited
from sseclient_cli.check.words import counted, shown_header, time_words

HELD_OPEN_S = 3.0
"""A response head that takes longer does not come: other requests are answered meanwhile."""

_NOT_OFFERED = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class Answer:
    """The response head to another request; ``problem`` says why there was none."""

    status: int | None
    headers: Mapping[str, str]
    problem: str = ""
    is_timeout: bool = False
    waited_s: float = 0

    @property
    def is_limited(self) -> bool:
        """Whether the server may have refused it because there are too many requests."""
        return is_limited(self.status)


def judge_head_request(answer: Answer) -> Result:
    """Judge the response to HEAD."""
    check, status = Check.HEAD, answer.status
    if status is None:
        if answer.is_timeout and answer.waited_s >= HELD_OPEN_S:
            return check.fault(f"{answer.problem}: the server holds it open like a stream")
        return check.not_checked(f"the request failed: {answer.problem}")
    if answer.is_limited:
        return check.not_checked(f"status {status}")
    if status == 200:
        return check.ok(
            f"status 200, {shown_header('content-type', answer.headers.get('content-type', 'no content type'))}"
        )
    if status in _NOT_OFFERED:
        return check.ok(f"status {status}: not offered; browsers do not send it")
    return check.warning(f"status {status}")


def judge_http2(scheme: str, protocol: str | None, problem: str) -> Result:
    """Judge the protocol that the server has chosen in a TLS handshake."""
    check = Check.HTTP2
    if scheme != "https":
        return check.not_checked("not over http://: browsers use HTTP/2 only with TLS, so 6 streams per host")
    if problem:
        return check.not_checked(f"the handshake failed: {problem}")
    if protocol == "h2":
        return check.ok("offered (ALPN h2)")
    return check.warning("not offered: browsers open at most 6 streams per host over HTTP/1.1")


def judge_compression(
    plain: Recording, answer: Recording | None, coding: str, problem: str, *, is_timeout: bool = False
) -> Result:
    """Judge a second connection that accepts compressed responses, recorded beside the first one.

    ``is_timeout``: it got no response.
    """
    check = Check.COMPRESSION
    if answer is None:
        arrived = len(plain.events)
        if is_timeout and arrived >= ENOUGH_BURSTS:
            return check.fault(
                f"no response if it is accepted, {counted(arrived, 'event')} otherwise (offered: {coding})"
            )
        return check.not_checked(f"the connection failed: {problem}")
    used = answer.head.headers.get("content-encoding", "")
    if not used or used.lower() == "identity":
        return check.ok(f"the server does not compress (offered: {coding})")
    shown = f"Content-Encoding: {shown_header('content-encoding', used)}"
    if answer.end is End.BROKEN:
        return check.fault(f"{shown}: {answer.problem}")
    if "content-encoding" in plain.head.headers:
        return check.warning(f"{shown}, also for a request that does not accept it")
    return _compressed(plain, answer, shown)


def _compressed(plain: Recording, answer: Recording, shown: str) -> Result:
    """Compare the events of the compressed connection with those of the other one, in the same time."""
    check = Check.COMPRESSION
    beside = [event for event in plain.events if event.arrived_ns >= answer.head.arrived_ns]
    if len(beside) >= ENOUGH_BURSTS and not answer.events:
        waited = time_words(answer.watched_s)
        return check.fault(f"{shown}: no event within {waited}, {len(beside):,} without compression")
    bursts = groups_of(answer)
    if is_bursty(bursts) and not is_bursty(groups_of(plain)):
        return check.fault(f"{shown}: {sum(group.size for group in bursts):,} events in {len(bursts):,} bursts")
    if len(answer.events) < min(len(beside), 2):
        return check.not_checked(f"{shown}, too few events to tell")
    return check.ok(f"{shown}: {counted(len(answer.events), 'event')} arrived as without compression")


def judge_ending(recording: Recording, resumed_status: int | None) -> Result:
    """Judge the end of the stream. ``resumed_status`` is that of the next connection, with Last-Event-ID."""
    check = Check.ENDING
    if recording.end is not End.ENDED:
        return check.not_checked("the server did not end the stream")
    seen = f"ended after {counted(len(recording.events), 'event')} and {time_words(recording.watched_s)}"
    if resumed_status == 204:
        return check.ok(f"{seen}; status 204 stops clients")
    if resumed_status is None:
        return check.not_checked(f"{seen}; no second connection shows what follows")
    return check.warning(f"{seen}; a reconnecting browser gets status {resumed_status}, and keeps reconnecting")
