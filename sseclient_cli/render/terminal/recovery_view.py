"""The rows of the summary about outages: loss, return, attempts, reconnection time, delivery."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.quantities import counted, duration, milliseconds
from sseclient_cli.render.recovery_words import after_return_words, reconnection_words, refusal_words
from sseclient_cli.render.terminal.rows import Facts, Row, fact, if_any
from sseclient_cli.report.recovery_model import Outage, Recovery

MAX_SHOWN = 2
"""Outages that the summary describes; the HTML page has more."""

MAX_KINDS = 3


def recovery_rows(recovery: Recovery) -> Iterator[Row]:
    """Yield the rows."""
    for outage in recovery.described[:MAX_SHOWN]:
        yield Row(Text("storm" if outage.is_storm else "outage", "bold"), Facts(*_loss(outage)))
        yield Row(Text("back", "bold"), Facts(*_returns(outage)))
        yield Row(Text("tries", "bold"), Facts(*_attempts(outage)))
        yield Row(Text("retry", "bold"), Facts(*_retries(outage)))
        yield Row(Text("traffic", "bold"), Facts(*_phases(outage)))
    words = after_return_words(recovery.after_return)
    yield Row(Text("resumed", "bold"), Facts(*(Text(each, "yellow" if is_bad else "") for each, is_bad in words)))
    more = recovery.outages - MAX_SHOWN
    if more > 0:
        yield Row(Text(), Text(f"and {counted(more, 'more outage')}: `recovery` in the JSON report", "dim"))


def _loss(outage: Outage) -> Iterator[Text]:
    verb = "dropped" if outage.is_storm else "lost"
    yield Text(f"{outage.streams:,} of {counted(outage.open_before, 'stream')} {verb} at {outage.start_s:.1f} s")
    if outage.outage_s is None:
        yield Text("none came back", "red")
    else:
        yield Text(f"the first one back after {_time(outage.outage_s)}")
    if outage.refused_s is not None:
        yield Text(f"attempts failed until {_time(outage.refused_s)}")


def _returns(outage: Outage) -> Iterator[Text]:
    for words, time_s in (
        ("50 %", outage.back_p50_s),
        ("90 %", outage.back_p90_s),
        ("99 %", outage.back_p99_s),
        ("all", outage.back_all_s),
    ):
        yield Text(f"{words} never", "red") if time_s is None else Text(f"{words} after {_time(time_s)}")
    yield from if_any(outage.gave_up, " ended by an error", "red")
    yield from if_any(outage.waiting, " not back at the end", "red")


def _attempts(outage: Outage) -> Iterator[Text]:
    yield fact(outage.attempts, " attempts" if outage.attempts != 1 else " attempt")
    yield Text(f"at most {outage.attempts_per_s_max:,} in 1 s, {outage.attempts_per_tenth_max:,} in 0.1 s")
    for failed in outage.failures[:MAX_KINDS]:
        yield Text(f"{failed.count:,}x {visible(failed.kind, keep_lines=False)}", "yellow")


def _retries(outage: Outage) -> Iterator[Text]:
    yield from map(Text, reconnection_words(outage))
    for words in refusal_words(outage):
        yield from map(Text, words.replace("; ", ";\n").splitlines())  # one fact would be wider than 80 columns


def _phases(outage: Outage) -> Iterator[Text]:
    for name, phase in (("before", outage.before), ("during", outage.during), ("after", outage.after)):
        if phase is not None:
            p50, p99 = milliseconds(phase.delivery_p50_ms), milliseconds(phase.delivery_p99_ms)
            delivery = "" if phase.delivery_p50_ms is None else f", delivery p50 {p50} ms p99 {p99} ms"
            yield Text(f"{name} {phase.events_per_s:,.0f}/s{delivery}")


def _time(time_s: float) -> str:
    return duration(1000 * time_s)
