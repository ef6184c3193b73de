"""The section of a run's page about each outage: its figures, and the curve of the recovery. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sseclient_cli.render.html.charts import Chart, Mark, Series, Unit, chart_of
from sseclient_cli.render.html.sections import cut
from sseclient_cli.render.quantities import counted, duration
from sseclient_cli.render.recovery_words import after_return_words, reconnection_words, refusal_words
from sseclient_cli.report.recovery_model import Outage, Phase, Recovery


@dataclass(frozen=True, slots=True)
class OutageSection:
    """The content of a section."""

    title: str
    facts: list[tuple[str, str]]
    charts: list[Chart]


def outages(recovery: Recovery | None) -> list[OutageSection]:
    """Return a section for each outage that the report describes."""
    described = [] if recovery is None else recovery.described
    return [
        OutageSection(_title(outage), [*_facts(outage), *_resumed(recovery, number)], _charts(outage, number))
        for number, outage in enumerate(described, 1)
    ]


def _title(outage: Outage) -> str:
    return f"Recovery after the {'storm' if outage.is_storm else 'outage'} at {outage.start_s:.1f} s"


def _facts(outage: Outage) -> Iterator[tuple[str, str]]:
    yield "streams lost", f"{outage.streams:,} of {outage.open_before:,}"
    yield "by cause", cut(", ".join(f"{cause} {count:,}" for cause, count in outage.causes.items()))
    yield "first stream back", _time(outage.outage_s)
    if outage.refused_s is not None:
        yield "attempts failed until", duration(1000 * outage.refused_s)
    for words, time_s in (
        ("50 % back", outage.back_p50_s),
        ("90 % back", outage.back_p90_s),
        ("99 % back", outage.back_p99_s),
        ("all back", outage.back_all_s),
    ):
        yield words, _time(time_s)
    for words, number in (("ended by an error", outage.gave_up), ("not back at the end", outage.waiting)):
        if number:
            yield words, counted(number, "stream")
    yield "connection attempts", f"{outage.attempts:,}, at most {outage.attempts_per_s_max:,} within 1 s"
    for failed in outage.failures:
        yield "failed attempts", cut(f"{failed.count:,} {failed.kind}")
    yield "reconnection time", "; ".join(reconnection_words(outage))
    for words in refusal_words(outage):
        yield "browser", words
    for name, phase in (("before", outage.before), ("during", outage.during), ("after", outage.after)):
        if phase is not None:
            yield f"events {name}", _phase(phase)


def _resumed(recovery: Recovery | None, number: int) -> Iterator[tuple[str, str]]:
    """Yield the events after all reconnections of the run, once."""
    if recovery is not None and number == len(recovery.described):
        yield "events after reconnections", ", ".join(words for words, _ in after_return_words(recovery.after_return))


def _time(time_s: float | None) -> str:
    return "never" if time_s is None else f"after {duration(1000 * time_s)}"


def _phase(phase: Phase) -> str:
    rate = f"{phase.events_per_s:,.1f} per second"
    if phase.delivery_p50_ms is None or phase.delivery_p99_ms is None:
        return rate
    return f"{rate}, delivery p50 {duration(phase.delivery_p50_ms)}, p99 {duration(phase.delivery_p99_ms)}"


def _charts(outage: Outage, number: int) -> list[Chart]:
    x = [point.t_s for point in outage.curve]
    times = (("50 %", outage.back_p50_s), ("99 %", outage.back_p99_s))
    back = chart_of(
        [Series(label="back", values=[100 * point.back for point in outage.curve])],
        id=f"back-{number}",
        title="Streams back",
        unit=Unit.PERCENT,
        x=x,
        marks=[Mark(outage.start_s + time_s, label) for label, time_s in times if time_s is not None],
    )
    attempts = chart_of(
        [Series(label="attempts", values=[point.attempts_per_s for point in outage.curve])],
        id=f"attempts-{number}",
        title="Connection attempts",
        unit=Unit.PER_S,
        x=x,
    )
    return [chart for chart in (back, attempts) if chart is not None]
