"""Pairs of a name and a value for the page of a run: streams, events, audit, plan, machine, route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from sseclient_cli.render.host_rows import named_hosts
from sseclient_cli.render.html.sections import cut
from sseclient_cli.render.quantities import counted, duration, percent, size
from sseclient_cli.render.terminal.counts import not_found
from sseclient_cli.render.terminal.notes import ends_of_delivery, notes
from sseclient_cli.report.model import Report
from sseclient_cli.report.run_model import Host, Plan, PlannedBadClients
from sseclient_cli.report.target_model import TargetMetrics

Fact = tuple[str, str]

MAX_HEADERS = 50


def streams(report: Report) -> list[Fact]:
    """Return the streams by outcome. Outcomes that no stream had are left out, except for failures."""
    found = report.streams
    pairs = (
        ("planned", found.planned, True),
        ("opened", found.opened, True),
        ("failed", found.failed, True),
        ("open at peak", found.peak_open, True),
        ("open at the end", found.open_at_end, True),
        ("lost with their worker", found.lost, False),
        ("not open yet at the end", found.unfinished, False),
        ("without a response head", found.unanswered, False),
        ("without an event", found.without_event, False),
        ("silent at the end", found.silent, False),
        ("ended by the server", found.ended_by_server, False),
        ("completed as planned", found.completed, False),
        ("reconnections", found.reconnected, False),
        ("broken by errors", found.broken, False),
    )
    return [(name, f"{number:,}") for name, number, is_always_shown in pairs if number or is_always_shown]


def events(report: Report) -> Iterator[Fact]:
    """Yield the received data."""
    found, duration_s = report.events, report.run.duration_s
    yield "received", f"{found.received:,}"
    if found.per_s is not None:
        yield "per second", f"{found.per_s:,.1f}"
    if found.per_stream is not None:
        sizes = found.per_stream
        spread = "" if sizes.min == sizes.max else f" ({sizes.min:,} to {sizes.max:,})"
        yield "per stream", f"{sizes.p50:,}{spread}"
    yield "data", size(found.bytes) + (f", {size(found.bytes / duration_s)}/s" if duration_s else "")
    yield "comments (heartbeats)", f"{found.comments:,}"
    silence = report.silence
    if silence.heartbeat_interval is not None and silence.heartbeat_interval.p50_ms is not None:
        yield "between two comments of a stream (median)", duration(silence.heartbeat_interval.p50_ms)
    if silence.longest is not None:
        yield "longest time of a stream without a byte", duration(silence.longest.max_ms)
    if found.error_events is not None:
        yield "events that report an error", f"{found.error_events:,}"
    if found.received:
        yield "coalesced in a read", f"{found.coalesced:,} ({percent(found.coalesced / found.received)})"
    if report.bursts.events is not None:
        bursts = report.bursts
        yield (
            "in bursts",
            f"{bursts.events_in_bursts:,} events; {bursts.events.p50:,} per burst" if bursts.events else "",
        )


def audit(report: Report) -> list[Fact]:
    """Return the audit, and the reach of a broadcast."""
    found, asked = report.audit, report.run.plan.sequence.asked
    if found is None:
        reason = "off" if asked == "none" else not_found(asked, "sequence") if report.events.received else "no event"
        return [("sequence", f"not audited: {reason}"), *_reach(report)]
    lost = f"at least {found.lost_at_least:,}; the numbering restarted" if found.lost is None else f"{found.lost:,}"
    return [
        ("sequence", cut(found.source) + (", of each event type" if found.by_type else "")),
        ("events checked", f"{found.checked:,}"),
        ("lost", lost),
        ("duplicated", f"{found.duplicated:,}"),
        ("out of order", f"{found.out_of_order:,}"),
        *_reach(report),
    ]


def _reach(report: Report) -> Iterator[Fact]:
    reach = report.reach
    if reach is not None:
        words = f"{reach.reached_all:,} of {reach.events:,} reached all {counted(reach.streams, 'sampled stream')}"
        yield "broadcast events", words


def plan(report: Report) -> Iterator[Fact]:
    """Yield the plan of the run; options without a value are left out."""
    found: Plan = report.run.plan
    yield "streams", f"{found.connections:,}"
    yield "duration", f"{found.duration_s:g} s"
    yield "ramp-up", f"{found.ramp_up_s:g} s"
    yield from _given(
        ("arrival rate", found.rate_per_s, "{:g} new streams per second"),
        ("warm-up", found.warmup_s or None, "{:g} s without latencies"),
        ("lifetime of a stream", found.lifetime_s, "{:g} s"),
        ("events of a stream", found.events, "{:,}"),
        ("storm", found.storm_s, "all connections dropped at {:g} s"),
        ("bad clients", found.bad_clients and _bad_clients(found.bad_clients), "{}"),
        ("idle timeout", found.idle_timeout_s, "{:g} s"),
        ("largest event", found.max_event_bytes, "{:,} bytes"),
    )
    yield "when the server ends a stream", found.on_end
    yield from _given(("retry after status", ", ".join(map(str, found.retry_statuses)) or None, "{}"))
    yield "workers", f"{report.run.workers:,}"
    yield "timestamp", _field(found.timestamp.asked, found.timestamp.used)
    yield "sequence", _field(found.sequence.asked, found.sequence.used)


def _bad_clients(bad: PlannedBadClients) -> str:
    shares = ", ".join(f"{share} {name.replace('_', ' ')}" for name, share in bad.shares.items())
    return f"{shares}, from {bad.at_s:g} s on"


def _given(*pairs: tuple[str, object, str]) -> Iterator[Fact]:
    return ((name, words.format(value)) for name, value, words in pairs if value is not None)


def _field(asked: str, used: list[str]) -> str:
    shown = cut(", ".join(used)) or "none used"
    return f"{shown} ({cut(asked)})" if asked != ", ".join(used) else shown


def target(report: Report) -> Iterator[Fact]:
    """Yield the request and the route to the server."""
    found = report.run.target
    yield "request", f"{found.method} {cut(found.url)}"
    yield from (("header", cut(f"{name}: {value}")) for name, value in found.headers[:MAX_HEADERS])
    yield from _given(
        ("body", found.body_bytes, "{:,} bytes"),
        ("messages to the WebSocket", found.message_count or None, "{}"),
        ("unix socket", found.unix_socket, "{}"),
        ("connected to", found.connect_to and ":".join(map(str, found.connect_to)), "{}"),
        ("values of the streams", cut(found.values_file or "") or None, "{}"),
        ("URLs", cut(found.urls_file or "") or None, "{}"),
        ("source addresses", cut(", ".join(found.source_addresses)) or None, "{}"),
    )
    if not found.certificates_checked:
        yield "certificate", "not verified"
    if ends := ends_of_delivery(report):
        yield "delivery", ends
    for note in notes(report):
        name, _, words = note.plain.partition(": ")
        yield name, cut(words)


def machine(report: Report) -> Iterator[Fact]:
    """Yield the machines of the load generator, and the program."""
    for words, count in Counter(map(_machine, report.run.hosts)).items():
        yield "load generator", f"{counted(count, 'host')}: {words}" if count > 1 else words
    yield "program", f"{report.tool.name} {report.tool.version}"


def _machine(host: Host) -> str:
    cpus = "" if host.cpus is None else f", {counted(host.cpus, 'processor')}"
    return f"{host.system} on {host.machine}{cpus}, Python {host.python}"


def generator(report: Report) -> Iterator[Fact]:
    """Yield the CPU of the workers and the unread bytes."""
    found = report.generator
    cpu = ["lost or too short" if each is None else f"{each:.0f} %" for each in found.cpu_percent]
    if cpu and not named_hosts(report.run.hosts):
        yield "CPU of each worker", ", ".join(cpu)
    if found.receive_queue is not None:
        queue = found.receive_queue
        yield "unread in the sockets", f"p99 {size(queue.p99_bytes)}, at most {size(queue.max_bytes)}"


def target_metrics(found: TargetMetrics) -> Iterator[Fact]:
    """Yield memory, files and CPU of the target."""
    memory, files, cpu = found.memory, found.files, found.cpu
    if memory is not None:
        if memory.per_stream_bytes is not None:
            sign = "-" if memory.per_stream_bytes < 0 else ""
            yield "memory per stream", f"{sign}{size(abs(memory.per_stream_bytes))}"
        yield "memory", _course(size(memory.before_bytes), size(memory.peak_bytes), memory.after_bytes, size)
    if files is not None:
        yield "open files", _course(f"{files.before:,}", f"{files.peak:,}", files.after, "{:,}".format)
    if cpu is not None:
        yield "CPU", f"{cpu.mean_percent:.0f} % of a core, {cpu.peak_percent:.0f} % at most"
    for source in found.sources:
        if source.failed:
            yield "failed samples", cut(f"{source.failed:,} of {source.source}: {source.error}")
        yield from (("not sampled", cut(f"{name}: {why}")) for name, why in source.missing.items())


def _course(before: str, peak: str, after: int | None, words: Callable[[float], str]) -> str:
    rest = "" if after is None else f", {words(after)} after"
    return f"{before} before, {peak} at peak{rest}"
