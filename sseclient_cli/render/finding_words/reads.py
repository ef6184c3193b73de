"""The words of findings on events that arrive together in one read."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always
from sseclient_cli.render.quantities import duration, percent

_UNBUFFERED = "set `proxy_buffering off` in nginx, or send the response header `X-Accel-Buffering: no`"


def _held_back(figures: Figures) -> str:
    delivery = figures["delivery_max_ms"]
    late = "" if delivery is None else f", delivery up to {duration(delivery)}"
    compressed = f"; the response is compressed ({_codings(figures)})" if figures["content_encodings"] else ""
    return (
        f"Events are held back: {_bursts(figures)}, sent over {duration(figures['held_back_ms'])} and received "
        f"together{late}{compressed}."
    )


def _on_held_back(figures: Figures) -> str:
    if figures["content_encodings"]:
        return (
            "Flush the compressor after each event, or do not compress the stream: in nginx, set `gzip off`, or leave "
            "text/event-stream out of `gzip_types`."
        )
    return f"If a proxy buffers: {_UNBUFFERED}. Otherwise, flush after each event in the server."


def _plain_bursts(figures: Figures) -> str:
    return f"Events arrive in {_bursts(figures)}: the server sends batches, or a proxy buffers."


def _bursts(figures: Figures) -> str:
    every = "" if figures["every_ms"] is None else f" every {duration(figures['every_ms'])}"
    return f"bursts of {figures['events']:,}{every}"


def _codings(figures: Figures) -> str:
    return ", ".join(figures["content_encodings"])


def _gaps_inside_bursts(figures: Figures) -> str:
    mean_ms = figures["mean_ms"]
    mean = "" if mean_ms is None else f"; the mean of all gaps is {duration(mean_ms)}"
    return (
        f"{percent(figures['share'])} of the gaps are between events of one read, and the gap row excludes them{mean}."
    )


def _coalesced(figures: Figures) -> str:
    return (
        f"{percent(figures['share'])} of the events arrived in the same read as later data: they have no exact arrival "
        "time, so short latencies are missing."
    )


def _on_coalesced(figures: Figures) -> str:
    fewer = "Use fewer --streams-per-connection" if figures["shares_connections"] else "Use more --workers"
    return f"{fewer} or a lower event rate, unless the server itself sends several events at once."


WORDS = {
    "held-back": Words(_held_back, _on_held_back),
    "bursts": Words(
        _plain_bursts,
        always(f"If the server sends single events, {_UNBUFFERED}."),
    ),
    "gaps-inside-bursts": Words(
        _gaps_inside_bursts, always("Read the gap row as the time between bursts, not between events.")
    ),
    "coalesced": Words(_coalesced, _on_coalesced),
}
