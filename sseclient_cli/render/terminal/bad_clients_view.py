"""The rows of the summary about bad clients, and the words that the page shares."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.render.quantities import duration, size
from sseclient_cli.render.terminal.rows import Facts, Row, fact, if_any
from sseclient_cli.report.bad_clients_model import BadClients, BadClientsOfKind, Effect, LatencyEffect
from sseclient_cli.report.model import Report

_NAMES = {BadKind.SLOW: "slow", BadKind.VANISH: "vanished", BadKind.ABRUPT: "reset", BadKind.HALF_REQUEST: "half-sent"}

_STYLES = {"worse": "red", "better": "green"}


def bad_client_rows(report: Report) -> Iterator[Row]:
    """Yield a row for each kind, then one for each effect on the good streams."""
    bad = report.bad
    if bad is None:
        return
    label = Text("bad", "bold")
    for kind in BadKind:
        part = getattr(bad, kind.value)
        if part is not None:
            yield Row(label, Facts(*_of_kind(kind, part, report)))
            label = Text()
    shown = list(_effects(bad)) or [Text("too short a run to compare before and after", "dim")]
    yield Row(Text("others", "bold"), Facts(*shown))


def _of_kind(kind: BadKind, part: BadClientsOfKind, report: Report) -> Iterator[Text]:
    turned = f"{part.turned:,}" if part.turned == part.planned else f"{part.turned:,} of {part.planned:,}"
    plan = report.run.plan.bad_clients
    at = "" if plan is None else f" at {plan.at_s:g} s"
    speed_bytes = plan.slow_bytes_per_s if plan is not None and kind is BadKind.SLOW else None
    speed = "" if speed_bytes is None else f" ({size(speed_bytes)}/s)"
    yield Text(f"{turned} {_NAMES[kind]}{speed}{at}")
    if part.dropped is None or not part.turned:
        return
    yield fact(part.dropped, f" dropped by the server{dropped_after(part)}")
    yield from if_any(part.held_at_end or 0, " held at the end", "yellow")
    yield from if_any(part.unknown_at_end or 0, " unknown", "yellow")


def dropped_after(part: BadClientsOfKind) -> str:
    """Return how long the server took to close these connections; empty if it is not known."""
    after = part.dropped_after
    if after is None or after.p50_ms is None:
        return ""
    if after.count == 1:
        return f" after {duration(after.max_ms)}"
    return f" after {duration(after.p50_ms)} (median), {duration(after.max_ms)} at most"


def _effects(bad: BadClients) -> Iterator[Text]:
    for label, effect in effects(bad):
        yield Text(f"{label} {effect_words(effect)}", _STYLES.get(effect.verdict, ""))


def effects(bad: BadClients) -> Iterator[tuple[str, Effect]]:
    """Yield the effects that were measured, with a label."""
    pairs: tuple[tuple[str, LatencyEffect], ...] = (
        ("delivery p50", bad.delivery_p50),
        ("delivery p99", bad.delivery_p99),
        ("gap p99", bad.gap_p99),
    )
    yield from ((label, effect) for label, effect in pairs if effect.before_ms is not None)
    if bad.event_rate.before_per_s is not None:
        yield "events/s", bad.event_rate


def effect_words(effect: Effect) -> str:
    """Return a figure before and after, and what it says."""
    before, after = _values(effect)
    return f"{before} → {after} ({effect.verdict})"


def _values(effect: Effect) -> tuple[str, str]:
    if isinstance(effect, LatencyEffect):
        before, after = (None if ms is None else duration(ms) for ms in (effect.before_ms, effect.after_ms))
    else:
        before, after = (
            None if rate is None else f"{rate:,.1f}"
            for rate in (getattr(effect, "before_per_s", None), getattr(effect, "after_per_s", None))
        )
    return before or "none", after or "none"
