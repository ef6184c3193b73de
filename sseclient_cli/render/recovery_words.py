"""What the summary and the page say about the retries of an outage. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sseclient_cli.render.quantities import counted, duration
from sseclient_cli.report.recovery_model import Outage, Refusal

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
    if not outage.early:
        yield "obeyed"
    elif outage.is_storm:
        yield "a storm does not wait for it"
    else:
        yield f"not obeyed by {counted(outage.early, 'stream')}"


def refusal_words(outage: Outage) -> Iterator[str]:
    """Yield what a browser would do after each status."""
    for refusal in outage.refusals:
        yield refusal_sentence(refusal)


def refusal_sentence(refusal: Refusal) -> str:
    """Return what a browser would do after a status, and what this run did."""
    got = f"{counted(refusal.streams, 'stream')} got {refusal.status}: a browser would give up"
    return f"{got}; this run retried because of --retry-status" if refusal.retried else f"{got}, as this run did"
