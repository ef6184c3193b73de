"""The block of the load generator: its delays with their limits, its workers, and whether it is the bottleneck."""

from __future__ import annotations

from sseclient_cli.escaping import visible
from sseclient_cli.measure.saturation import (
    MAX_CPU_PERCENT,
    MAX_LOOP_LAG_US,
    MAX_READ_DELAY_US,
    MAX_RECEIVE_QUEUE_BYTES,
    MAX_START_DELAY_US,
)
from sseclient_cli.render.live.blocks import Block
from sseclient_cli.render.live.columns import Column, table
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.line import Line, Style
from sseclient_cli.render.live.quantities import bar, count, megabytes, rate
from sseclient_cli.render.quantities import milliseconds
from sseclient_cli.report.hosts_build import by_number
from sseclient_cli.run.progress import Delay, WorkerProgress

_DELAYS = (
    (Delay.READ, "read delay", MAX_READ_DELAY_US, 6),
    (Delay.LOOP, "loop lag", MAX_LOOP_LAG_US, 5),
    (Delay.START, "late start", MAX_START_DELAY_US, 4),
)
"""The delays of the load generator with their limits in us and their importance."""

LEAST_GAUGE_WIDTH = 6
GAUGE_WIDTH = 20

MAX_NAME = 20
"""Characters of the name of a host."""


def generator(history: RunHistory, *, shows_hosts: bool = False) -> Block:
    """Return the block of the load generator. On a cluster, its workers are left out, or shown by host."""
    named = _host_rows(history) if shows_hosts else _worker_rows(history)

    def draw(rows: int, width: int) -> list[Line]:
        verdict = verdict_lines(history, width)[: max(rows - 3, 1)]
        left = rows - 3 - len(verdict)
        workers = [_worker(name, worker, width) for name, worker in named[:left]]
        if shows_hosts and history.progress.hosts and 0 < left < len(named):
            workers[-1] = Line((f"and {len(named) - left + 1:,} more hosts, which the report has", Style.DIM))
        return [*_delays(history, width), *workers, *verdict]

    return Block("load generator, p99 in ms", 4, 4 + max(len(named), 1) + 2, draw, rank=1)


def verdict_line(history: RunHistory, width: int) -> Line:
    """Return the verdict in one line, with the first reason as far as it fits."""
    if not history.reasons:
        return verdict_lines(history, width)[0]
    reason = visible(history.reasons[0], keep_lines=False)
    room = width - len("BOTTLENECK: ")
    return Line(("BOTTLENECK: ", Style.ALARM), (reason if len(reason) <= room else f"{reason[: room - 1]}…", Style.BAD))


def verdict_lines(history: RunHistory, width: int) -> list[Line]:
    """Return whether the load generator is the bottleneck, by the rule of the report: at most a line per reason."""
    if history.reasons:
        first, *others = [visible(reason, keep_lines=False) for reason in history.reasons]
        return (
            [
                Line(("BOTTLENECK: the load generator, so far: ", Style.ALARM)),
                *(Line((f"  {reason}", Style.BAD)) for reason in (first, *others)),
            ]
            if len(f"BOTTLENECK: {first}") > width
            else [
                Line(("BOTTLENECK: ", Style.ALARM), (first, Style.BAD)),
                *(Line((f"  {reason}", Style.BAD)) for reason in others),
            ]
        )
    busy = busiest(history)
    if busy is not None and busy[1] > MAX_CPU_PERCENT:
        host = history.progress.workers[busy[0]].host
        name = f"a worker on {visible(host, keep_lines=False)}" if host else f"worker {busy[0]}"
        text = f"{name} uses {busy[1]:.0f} % of its core now (limit {MAX_CPU_PERCENT:.0f} %)"
        return [Line((text, Style.WARNING))]
    if busy is None:
        return [Line(("not known yet whether the load generator is the bottleneck", Style.DIM))]
    return [Line(("not the bottleneck over the run so far", Style.GREEN))]


def busiest(history: RunHistory) -> tuple[int, float] | None:
    """Return the number and the CPU percentage of the worker that used most in the last second."""
    known = [
        (worker.recent_cpu_percent, index)
        for index, worker in enumerate(history.progress.workers)
        if worker.recent_cpu_percent is not None
    ]
    return (max(known)[1], max(known)[0]) if known else None


def figures(history: RunHistory) -> list[tuple[str, str, str, Style, int]]:
    """Return title, figure, limit, style and importance of each figure of the load generator, of the last second."""
    busy = busiest(history)
    cpu = ("-", Style.DIM) if busy is None else (f"{busy[1]:.0f} %", _style(busy[1], MAX_CPU_PERCENT))
    found = [
        (
            "CPU" if len(history.progress.workers) < 2 else "busiest CPU",
            *_with_limit(cpu, f"{MAX_CPU_PERCENT:.0f} %"),
            7,
        )
    ]
    for delay, title, limit_us, importance in _DELAYS:
        now = history.latest_delay(delay)
        shown = ("-", Style.DIM) if now is None else (milliseconds(now.p99 / 1000), _style(now.p99, limit_us))
        found.append((title, *_with_limit(shown, f"{limit_us // 1000}"), importance))
    queue = history.latest_delay(Delay.QUEUE)
    kib = (
        ("-", Style.DIM)
        if queue is None
        else (f"{queue.p99 // 1024:,}", _style(queue.p99, MAX_RECEIVE_QUEUE_BYTES - 1))
    )
    return [*found, ("queue KiB", *_with_limit(kib, f"{MAX_RECEIVE_QUEUE_BYTES // 1024}"), 3)]


def _with_limit(shown: tuple[str, Style], limit: str) -> tuple[str, str, Style]:
    return shown[0], limit, shown[1]


def _delays(history: RunHistory, width: int) -> list[Line]:
    columns = [
        Column(title, ((figure, style), (limit, Style.DIM)), 6, importance)
        for title, figure, limit, style, importance in figures(history)
    ]
    return table(["now".ljust(10), "limit"], columns, width)


def _style(value: float, limit: float) -> Style:
    return Style.BAD if value > limit else Style.PLAIN


def _worker_rows(history: RunHistory) -> list[tuple[str, WorkerProgress]]:
    """Return each worker with its name, if there are several; none on a cluster, where they have no order."""
    workers = history.progress.workers
    if len(workers) < 2 or history.progress.hosts:
        return []
    return [(f"worker {index}".ljust(10), worker) for index, worker in enumerate(workers)]


def _host_rows(history: RunHistory) -> list[tuple[str, WorkerProgress]]:
    """Return the sum of the workers of each host with its name; its CPU is that of the busiest one."""
    hosts = history.progress.hosts
    if not hosts:
        return _worker_rows(history)
    names = {name: visible(name, keep_lines=False) for name in hosts}
    width = min(max(10, *map(len, names.values())), MAX_NAME)
    return [
        (
            (names[name] if len(names[name]) <= width else f"{names[name][: width - 1]}…").ljust(width),
            WorkerProgress(
                open_now=sum(worker.open_now for worker in hosts[name]),
                events_per_s=sum(worker.events_per_s for worker in hosts[name]),
                bytes_per_s=sum(worker.bytes_per_s for worker in hosts[name]),
                recent_cpu_percent=max(
                    (worker.recent_cpu_percent for worker in hosts[name] if worker.recent_cpu_percent is not None),
                    default=None,
                ),
            ),
        )
        for name in sorted(hosts, key=by_number)
    ]


def _worker(name: str, worker: WorkerProgress, width: int) -> Line:
    percent = worker.recent_cpu_percent
    shown = "-" if percent is None else f"{percent:.0f} %"
    line = Line(name, (shown.rjust(8), _style(percent or 0, MAX_CPU_PERCENT)), "  ")
    facts = f"{count(worker.open_now):>9} open {rate(worker.events_per_s):>9} events/s"
    size = f" {megabytes(worker.bytes_per_s):>7} MB/s"
    facts += size if line.width + len(facts + size) <= width else ""
    room = width - line.width - len(facts)
    if room > LEAST_GAUGE_WIDTH:
        line.then(bar((percent or 0) / 100, min(room - 2, GAUGE_WIDTH)))
    return line.add(facts)
