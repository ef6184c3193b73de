"""The words of the summary and the page about the retries of an outage. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sseclient_cli.render.quantities import counted, duration
from sseclient_cli.report.recovery_model import AfterReturn, Outage, Refusal

MAX_TIMES = 2


def reconnection_words(outage: Outage) -> Iterator[str]:
    """Yield which reconnection times the streams had, and whether they waited."""
    for time in outage.reconnection_times[:MAX_TIMES]:
        source = "from the server (retry)" if time.from_server else "by default: no retry from the server"
        streams = "" if len(outage.reconnection_times) == 1 else f" on {counted(time.streams, 'stream')}"
        yield f"{duration(time.ms)} {source}{streams}"
    more = len(outage.reconnection_times) - MAX_TIMES
    if more > 0:
        yield f"and {counted(more, 'other value')}"
    if not outage.attempts:
        yield "no stream tried again"
    elif not outage.early:
        yield "obeyed"
    elif outage.is_storm:
        yield "a storm does not wait for it"
    else:
        yield f"not obeyed by {counted(outage.early, 'stream')}"


def refusal_words(outage: Outage) -> Iterator[str]:
    """Yield the behaviour of a browser after each status."""
    for refusal in outage.refusals:
        yield refusal_sentence(refusal)


def refusal_sentence(refusal: Refusal) -> str:
    """Return the behaviour of a browser after a status, and that of this run."""
    answer = "200 without an event stream" if refusal.status == 200 else str(refusal.status)
    got = f"{counted(refusal.streams, 'stream')} got {answer}: a browser would give up"
    return f"{got}; this run retried because of --retry-status" if refusal.retried else f"{got}, as this run did"


def after_return_words(found: AfterReturn) -> Iterator[tuple[str, bool]]:
    """Yield counts of the events after reconnections, each with whether it is bad."""
    if found.replayed is not None:
        yield f"{found.replayed:,} replayed", False
    if found.duplicated is None:
        yield "no sequence number to find lost events by", False
        return
    yield "loss unknown" if found.lost is None else f"{found.lost:,} lost or not sent", bool(found.lost)
    yield f"{found.duplicated:,} duplicated", bool(found.duplicated)
    yield f"{found.foreign or 0:,} foreign", bool(found.foreign)
    if found.renumbered_streams:
        yield f"the numbering restarted on {counted(found.renumbered_streams, 'stream')}", True
