"""The summary that ``sse bench`` prints at the end, from the report alone."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.render.terminal.route_view import route_notes
from sseclient_cli.render.words import advice_on, sentence
from sseclient_cli.report.distributions import Latency, Sizes
from sseclient_cli.report.figure import label_of
from sseclient_cli.report.model import Latencies, Report, Severity
from sseclient_cli.sse.error_event import ERROR_TYPE

_STYLES = {Severity.INFO: "dim", Severity.WARNING: "yellow", Severity.FAULT: "red"}
_COLUMNS = ("min_ms", "mean_ms", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "p9999_ms", "max_ms")
_COLUMNS_OF_WIDE_TERMINALS = ("p999_ms", "p9999_ms")

LEAST_WIDTH_OF_ALL_COLUMNS = 75
"""The names take 11 characters; each of the eight figures takes at most 6, after 2 spaces."""

NOTABLE_PAUSE_MS = 50
"""A longer pause of the load generator is shown even if it is too rare to saturate the run."""

MAX_SHOWN = 10
"""Rows of errors and of event types; the JSON report has all."""


def summary(report: Report) -> RenderableType:
    """Return the summary of a run, for a rich console of any width from 60."""
    parts: list[RenderableType] = [_head(report), _counts(report), Text()]
    if any(latency for _, latency in report.latency):
        parts.append(_Latencies(report))
    parts += [Text(line, style="dim") for line in _notes(report)]
    parts += route_notes(report)
    for finding in report.findings:
        parts.append(Text(visible(sentence(finding), keep_lines=False), _STYLES[finding.severity]))
    if report.errors:
        parts += [Text(), _errors(report), *_advice(report)]
    parts.append(Text())
    if report.run.incomplete:
        parts.append(_loss(report))
    parts.append(_verdict(report))
    return Group(*parts)


def _head(report: Report) -> Text:
    run = report.run
    text = Text.assemble(
        (visible(f"{run.target.method} {run.target.url}", keep_lines=False), "bold"),
        f"  {run.duration_s:.1f} s",
    )
    if run.interrupted:
        text.append("  interrupted: the report covers the part that ran", "yellow")
    elif not run.incomplete and run.duration_s < 0.9 * run.plan.duration_s:
        text.append(f" of {run.plan.duration_s:g} s: no stream was left", "yellow")
    return text


def _counts(report: Report) -> Table:
    streams, events = report.streams, report.events
    grid = Table.grid(padding=(0, 2))
    grid.add_row(
        Text("streams", "bold"),
        _Facts(
            _fact(streams.opened, " opened"),
            _fact(streams.failed, " failed", "red" if streams.failed else ""),
            *_if_any(streams.lost, " lost with their worker", "red"),
            *_if_any(streams.unfinished, " not open yet", "yellow"),
            *_if_any(streams.broken, " broken by errors", "red"),
            *_if_any(streams.without_event, " without an event", "yellow"),
            *_if_any(streams.silent, " silent", "red"),
            *_if_any(streams.ended_by_server, " ended by the server", "yellow"),
            *_if_any(streams.completed, " completed"),
            *_if_any(streams.reconnected, " reconnected"),
            _fact(streams.peak_open, " open at peak"),
        ),
    )
    per_s = events.per_s
    grid.add_row(
        Text("events", "bold"),
        _Facts(
            _fact(events.received, " received"),
            *(() if per_s is None else (_fact(per_s, "/s"),)),
            *_if_any(events.comments, " comments"),
            _fact(events.bytes, " bytes"),
            *_per_stream(events.per_stream),
            # Without the option, only the type of an event is looked at.
            *_if_any(events.error_events or events.by_type.get(ERROR_TYPE, 0), " report an error", "red"),
        ),
    )
    types = list(events.by_type.items())
    if types and list(events.by_type) != ["message"]:
        shown = ", ".join(f"{visible(name, keep_lines=False)} {count:,}" for name, count in types[:MAX_SHOWN])
        grid.add_row(Text("types", "bold"), Text(shown + (" ..." if len(types) > MAX_SHOWN else "")))
    grid.add_row(Text("audit", "bold"), _audit(report))
    return grid


class _Facts:
    """Figures with their units, wrapped only between two of them."""

    def __init__(self, *facts: Text) -> None:
        self._facts = facts

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for fact in self._facts:
            if line and line.cell_len + 2 + fact.cell_len > options.max_width:
                yield line
                line = Text()
            line.append("  " if line else "").append_text(fact)
        yield line

    def __rich_measure__(self, _console: Console, options: ConsoleOptions) -> Measurement:
        widths = [fact.cell_len for fact in self._facts]
        return Measurement(max(widths), min(sum(widths) + 2 * (len(widths) - 1), options.max_width))


def _fact(number: float, unit: str, style: str = "") -> Text:
    figure = f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
    return Text(f"{figure}{unit}", style)


def _per_stream(sizes: Sizes | None) -> tuple[Text, ...]:
    """Return the events per stream: one number if it is equal for all streams, else the median and the range."""
    if sizes is None:
        return ()
    if sizes.min == sizes.max:
        return (_fact(sizes.max, " per stream"),)
    return (Text(f"{sizes.p50:,} per stream ({sizes.min:,} to {sizes.max:,})"),)


def _if_any(number: int, name: str, style: str = "") -> tuple[Text, ...]:
    return (_fact(number, name, style),) if number else ()


def _audit(report: Report) -> RenderableType:
    audit = report.audit
    asked = report.run.plan.sequence.asked
    if audit is None:
        return Text("off" if asked == "none" else _not_found(asked, "sequence"), "dim")
    lost = audit.lost_at_least
    if audit.lost is None:
        facts = [Text(f"at least {lost:,} lost" if lost else "loss unknown", "red" if lost else "yellow")]
    else:
        facts = [_fact(lost, " lost", "red" if lost else "")]
    for count, name in ((audit.duplicated, " duplicated"), (audit.out_of_order, " out of order")):
        facts.append(_fact(count, name, "red" if count else ""))
    source = visible(audit.source, keep_lines=False) + (" of each type" if audit.by_type else "")
    return _Facts(*facts, Text(f"(by {source})", "dim"))


class _Latencies:
    """The table of latencies. A narrow terminal gets fewer columns, never a truncated figure."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        latencies = self._report.latency
        is_wide = options.max_width >= LEAST_WIDTH_OF_ALL_COLUMNS
        columns = [column for column in _COLUMNS if is_wide or column not in _COLUMNS_OF_WIDE_TERMINALS]
        table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim")
        table.add_column("ms")
        for column in columns:
            table.add_column(label_of(Latency, column), justify="right")
        for name, latency in latencies:
            if latency is None or (name == "open_gap" and not _tells_more(latency, latencies.gap)):
                continue
            figures = (_milliseconds(getattr(latency, column)) for column in columns)
            table.add_row(Text(label_of(Latencies, name), "bold"), *figures)
        yield table


def _tells_more(open_gap: Latency, gap: Latency | None) -> bool:
    """Return whether a gap that was open at the end is longer than every gap between two events."""
    return gap is None or open_gap.max_ms > gap.max_ms


def _milliseconds(value: float | None) -> str:
    """Return three significant digits, or whole milliseconds, in at most six characters: eight fit into a line.

    From 100 s, the unit is a second, as in ``120s``. A dash means that the value could not be measured.
    """
    if value is None:
        return "-"
    if abs(value) >= 99_999.5:
        return f"{value / 1000:.0f}s" if abs(value) < 1e8 else f"{value / 1000:.0e}s"
    if abs(value) >= 99.95:  # one decimal would round it to 100.0
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 9.9995 else f"{value:.3f}"


def _notes(report: Report) -> list[str]:
    """Return notes on how the latencies were measured."""
    delivery, timestamp = report.latency.delivery, report.run.plan.timestamp
    events, warmup_s = report.events, report.run.plan.warmup_s
    notes = [f"warm-up: the latencies of the first {warmup_s:g} s are excluded"] if warmup_s else []
    if delivery is not None:
        how = "kernel timestamp" if delivery.stamp == "kernel" else "time after the read (no kernel timestamps here)"
        notes.append(f"delivery: from {visible(', '.join(timestamp.used), keep_lines=False)} to the arrival ({how})")
    elif events.received and timestamp.asked != "none":
        notes.append(f"delivery: {_not_found(timestamp.asked, 'timestamp')}")
    return notes


def _not_found(asked: str, what: str) -> str:
    if asked == "auto":
        return f"no {what} found in the events (--{what} names one)"
    return f"no event has a {what} in {visible(asked, keep_lines=False)}"


def _errors(report: Report) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim")
    table.add_column("errors", justify="right")
    table.add_column("kind")
    table.add_column("example")
    for error in report.errors[:MAX_SHOWN]:
        table.add_row(f"{error.count:,}", Text(error.kind, "red"), Text(visible(error.example, keep_lines=False)))
    return table


def _advice(report: Report) -> list[Text]:
    """Return advice for each kind of error that an option may fix."""
    advice = ((error.kind, advice_on(error.kind)) for error in report.errors[:MAX_SHOWN])
    return [Text(f"{kind}: {words}", "dim") for kind, words in advice if words]


def _loss(report: Report) -> Text:
    run, streams = report.run, report.streams
    return Text(
        f"This report is incomplete: {run.workers_lost} of {run.workers} workers were lost, and with them "
        f"{streams.lost:,} of {streams.planned:,} streams (see errors).",
        "bold red",
    )


def _verdict(report: Report) -> Text:
    generator = report.generator
    if generator.saturated:
        text = Text("The load generator was the bottleneck: " + "; ".join(generator.reasons) + ".", "bold red")
        return text.append(" Use more --workers, a slower start or a smaller load.", "red")
    known = [percent for percent in generator.cpu_percent if percent is not None]
    if not known:
        return Text("Unknown whether the load generator was the bottleneck.", "yellow")
    text = Text(f"Load generator not the bottleneck: {max(known):.0f} % of a core", "green")
    if generator.read_delay is not None:
        text.append(f", read delay p99 {_milliseconds(generator.read_delay.p99_ms)} ms")
    lag = generator.loop_lag
    if lag is not None and lag.max_ms >= NOTABLE_PAUSE_MS:
        text.append(f", longest pause {_milliseconds(lag.max_ms)} ms")
    return text.append(".")
