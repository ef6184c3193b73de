"""The words of findings on outages: streams that did not come back, and attempts at one time."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always
from sseclient_cli.render.quantities import counted, duration


def _of_lost(number: int, figures: Figures) -> str:
    return f"{number:,} of {counted(figures['streams'], 'stream')} lost at {figures['start_s']:.1f} s"


def _gave_up(figures: Figures) -> str:
    statuses = ", ".join(map(str, figures["statuses"]))
    after = f" They got status {statuses}, after which a browser gives up too." if statuses else ""
    return f"{_of_lost(figures['gave_up'], figures)} ended with an error and did not come back.{after}"


def _on_gave_up(figures: Figures) -> str:
    if figures["statuses"]:
        status = figures["statuses"][0]
        return (
            "Keep the old server until the new one accepts connections, or reopen the EventSource in the page. "
            f"--retry-status {status} makes a run try again."
        )
    return "The errors of the run say why. --on-end reconnect lets a stream try again after a failed attempt."


def _not_back(figures: Figures) -> str:
    return f"{_of_lost(figures['waiting'], figures)} were not back at the end of the run."


def _browsers(figures: Figures) -> str:
    return (
        f"{counted(figures['streams'], 'stream')} lost at {figures['start_s']:.1f} s got status "
        f"{figures['status']}: a browser would give up; this run retried because of --retry-status."
    )


def _herd(figures: Figures) -> str:
    retry_ms = figures["retry_ms"]
    source = "from the server" if figures["from_server"] else "the default"
    why = "" if retry_ms is None else f": all have the same reconnection time ({duration(retry_ms)}, {source})"
    return (
        f"{counted(figures['attempts'], 'connection attempt')} of {counted(figures['streams'], 'lost stream')} were "
        f"made within 1 s{why}."
    )


WORDS = {
    "streams-gave-up": Words(_gave_up, _on_gave_up),
    "streams-not-back": Words(
        _not_back, always("Run longer (-z) after the outage; the errors say whether the server answers again.")
    ),
    "browsers-give-up": Words(
        _browsers,
        always(
            "Keep the old server until the new one accepts connections. A page survives such an answer only if it "
            "reopens its EventSource when `readyState` is CLOSED."
        ),
    ),
    "thundering-herd": Words(
        _herd,
        always(
            "Send each stream a `retry` of its own, at random between 1 s and 10 s, for example `retry: 2371`: then "
            "the streams return over this time."
        ),
    ),
}
