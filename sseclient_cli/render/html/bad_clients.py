"""Pairs of a name and a value for the section of the page about bad clients."""

from __future__ import annotations

from collections.abc import Iterator

from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.render.terminal.bad_clients_view import dropped_after, effect_words, effects
from sseclient_cli.report.bad_clients_model import BadClientsOfKind
from sseclient_cli.report.model import Report

_NAMES = {
    BadKind.SLOW: "slow clients",
    BadKind.VANISH: "vanished clients",
    BadKind.ABRUPT: "clients that reset the connection",
    BadKind.HALF_REQUEST: "half-sent requests",
}


def bad_clients(report: Report) -> Iterator[tuple[str, str]]:
    """Yield each kind, then each effect on the good streams."""
    bad = report.bad
    if bad is None:
        return
    yield "turned bad", f"{bad.turned:,} of {bad.planned:,}, from {bad.at_s:g} s on"
    for kind in BadKind:
        part = getattr(bad, kind.value)
        if part is not None:
            yield _NAMES[kind], _of_kind(part)
    for label, effect in effects(bad):
        words = f"; {effect.reason}" if effect.reason else ""
        yield f"{label} of the good streams", effect_words(effect) + words


def _of_kind(part: BadClientsOfKind) -> str:
    if part.dropped is None:
        return f"{part.turned:,}"
    facts = [f"{part.turned:,}", f"{part.dropped:,} dropped by the server{dropped_after(part)}"]
    facts += [f"{part.held_at_end:,} held at the end"] if part.held_at_end else []
    facts += [f"{part.unknown_at_end:,} unknown"] if part.unknown_at_end else []
    return "; ".join(facts)
