"""The words of findings on the answers of an LLM."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always
from sseclient_cli.render.quantities import duration, percent

_UNBUFFERED = (
    "Compare with the server itself: --against ITS_URL. In nginx, set `proxy_buffering off` and `gzip off`; in a "
    "gateway, look for checks of the answer that wait for more text."
)


def _held_back(figures: Figures) -> str:
    pause, first = duration(figures["pause_ms"]), figures["first_token_ms"]
    if figures["whole"]:
        return f"Answers are held back: all chunks of an answer arrive at once, after {pause} (median)."
    late = "" if first is None else f", and the first one after {duration(first)}"
    return (
        f"Chunks are held back: they arrive {figures['chunks']:,} at once, every {pause} (median){late}: "
        f"{percent(figures['share'])} of all chunks."
    )


def _estimated(figures: Figures) -> str:
    is_shared = figures["shares_connections"]
    how = "several share a read of their connection" if is_shared else "the load generator read several late"
    return (
        f"{percent(figures['share'])} of the chunks have an estimated arrival: {how}, "
        "with one arrival time, and it divides the time between them equally."
    )


def _on_estimated(figures: Figures) -> str:
    fewer = "Use fewer --streams-per-connection, " if figures["shares_connections"] else "Use "
    return f"{fewer}more --workers, or a machine that does nothing else."


def _none_ended(figures: Figures) -> str:
    number = figures["requests"]
    requests = "1 request was" if number == 1 else f"{number:,} requests were"
    return f"No answer ended: {requests} unfinished after {figures['duration_s']:g} s, the whole run."


WORDS = {
    "no-answer-ended": Words(
        _none_ended,
        always("Use a longer --duration, or --requests COUNT; --output-tokens shortens the answers of an LLM."),
    ),
    "chunks-held-back": Words(_held_back, always(_UNBUFFERED)),
    "chunks-estimated": Words(_estimated, _on_estimated),
}
