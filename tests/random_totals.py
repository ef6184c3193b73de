"""Any totals that a worker may have, for tests of merging (hypothesis)."""

from collections import Counter
from copy import deepcopy
from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from sseclient_cli.engine.endpoint import Endpoint
from sseclient_cli.engine.reads import Reads
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.event_counts import COUNTS
from sseclient_cli.measure.fanout_totals import FanoutTotals, PublisherFacts, Shortfall, StreamDelay, slowest
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.reach import Arrivals, ReachSample
from sseclient_cli.measure.samples import VALUES, Samples
from sseclient_cli.measure.totals import Totals

Facts = dict[str, Any]
Tick = tuple[int, Samples, Reads, int, list[str]]

ENDPOINTS = [Endpoint("pool.test", f"127.0.0.{number}", 80) for number in (2, 3)]

MAX_EXAMPLES = 30
"""Each example creates, pickles and merges about a hundred histograms: 0.15 s on an idle core."""

counts = st.integers(0, 1000)
sizes = st.lists(st.integers(0, 10**6), max_size=5)
durations = st.lists(st.integers(-100, 10**9), max_size=5)


@st.composite
def ticks(draw: st.DrawFn) -> Tick:
    """The events of one tick: its row, the recorded values, the change of open streams, the kinds of its errors."""
    samples, reads = Samples(), Reads()
    for name in COUNTS:
        setattr(samples, name, draw(counts))
    for name in VALUES:
        # Counts of events are not negative; durations may be.
        getattr(samples, name).extend(draw(sizes if name in ("bursts", "stream_events") else durations))
    samples.types.update(draw(st.lists(st.sampled_from(["message", "tick", "tock"]), max_size=5)))
    reads.body_bytes, reads.without_timestamp = draw(counts), draw(counts)
    reads.delay_us.extend(draw(durations))
    return (
        draw(st.integers(0, 4)),
        samples,
        reads,
        draw(st.integers(-5, 5)),
        draw(st.lists(st.sampled_from(["dns", "tls"]), max_size=2)),
    )


def play(totals: Totals, happened: list[Tick]) -> Totals:
    for row, samples, reads, opened, kinds in happened:
        totals.open_now += opened
        totals.peak_open = max(totals.peak_open, totals.open_now)
        for kind in kinds:
            totals.count_error(kind, "an example", row)
        totals.fold(deepcopy(samples), deepcopy(reads), row)  # folding empties them
        totals.loop_lag.record({abs(opened): 1})
        totals.receive_queue.record({1000 * abs(opened): 2})
    return totals


shards = st.lists(ticks(), max_size=4)


@st.composite
def totals_of_a_worker(draw: st.DrawFn) -> Totals:
    made = play(Totals(planned=draw(counts), lost=draw(counts), cpu_percent=[draw(st.none() | st.floats(0, 100))]),
                draw(shards))  # fmt: skip
    made.duration_ns, made.interrupted = draw(counts), draw(st.booleans())
    for field in fields(Totals):
        if field.type == "int":
            setattr(made, field.name, draw(counts))
        elif field.type == "str":
            setattr(made, field.name, draw(st.text()))
        elif field.type == "set[str]":
            setattr(made, field.name, draw(st.sets(st.text())))
        elif field.type in ("Counter[int]", "dict[int, int]"):
            getattr(made, field.name).update(draw(st.dictionaries(counts, counts, max_size=3)))
    if not made.bytes_without_event:
        made.complaint = ""  # it is that of a stream with bytes and no event
    made.connections.update({place: draw(counts) for place in draw(st.sets(st.sampled_from(ENDPOINTS)))})
    for url in draw(st.lists(st.sampled_from(["http://a/", "http://b/"]), max_size=5)):
        made.count_redirection(url)
    made.audits = draw(st.dictionaries(st.sampled_from(["id", "data.seq"]), audits(), max_size=2))
    made.reach = draw(reach_samples())
    made.fanout = draw(st.none() | fanouts())
    made.hosts = draw(st.dictionaries(st.sampled_from(["node-1", "node-2", "node-3"]), hosts(), max_size=3))
    return made


@st.composite
def hosts(draw: st.DrawFn) -> HostTotals:
    made = HostTotals(cpu_percent=[draw(st.none() | st.floats(0, 100))], system="Linux", machine="x86_64")
    made.address, made.python = draw(st.sampled_from(["", "tcp://10.0.0.1"])), draw(st.sampled_from(["", "3.13.1"]))
    for field in fields(HostTotals):
        if field.type == "int":
            setattr(made, field.name, draw(counts))
    made.is_corrected = draw(st.none() | st.booleans())
    if draw(st.booleans()):
        made.clock_offset_ns, made.clock_bound_ns = draw(st.integers(-(10**12), 10**12)), draw(counts)
        made.cpus = draw(st.integers(1, 64))
    made.read_delay.record(dict.fromkeys(draw(durations), 1))
    return made


@st.composite
def fanouts(draw: st.DrawFn) -> FanoutTotals:
    made = FanoutTotals(PublisherFacts(url="http://h/p", method="POST", rate_per_s=5, first_s=1, last_s=8, grace_s=2))
    for field in fields(FanoutTotals):
        if field.type == "int":
            setattr(made, field.name, draw(counts))
        elif field.type == "float | None":
            setattr(made, field.name, draw(st.none() | st.floats(0, 1)))
    made.expected += made.received
    for kind in draw(st.lists(st.sampled_from(["http-404", "unanswered"]), max_size=3)):
        made.errors[kind] += 1
        made.examples[kind] = f"an example of {kind}"
    for histogram in (made.lateness, made.request, made.delay, made.spread, made.stream_delay):
        histogram.record(dict.fromkeys(draw(durations), 1))
    made.rows.update(draw(st.dictionaries(st.integers(0, 4), st.builds(lambda: Counter({1500: 3})), max_size=3)))
    made.slowest = slowest([StreamDelay(stream, 1, draw(counts), draw(counts)) for stream in (1, 2)])
    made.missing_streams = [Shortfall(draw(st.integers(1, 9)), 9, draw(st.integers(0, 8)))]
    made.missing_events = [Shortfall(draw(st.integers(1, 9)), 9, draw(st.integers(0, 8)))]
    return made


@st.composite
def audits(draw: st.DrawFn) -> FieldAudit:
    made = FieldAudit(Trust.EVENT_ID)
    for field in fields(FieldAudit):
        if field.type == "int":
            setattr(made, field.name, draw(counts))
    for changes in (made.spanned, made.received):
        changes.update(draw(st.dictionaries(counts, st.integers(1, 9), max_size=4)))
    return made


@st.composite
def reach_samples(draw: st.DrawFn) -> ReachSample:
    made = ReachSample()
    for field in fields(ReachSample):
        if field.type == "int":
            setattr(made, field.name, draw(counts))
    for key in draw(st.sets(st.sampled_from([b"a", b"b", b"c"]))):
        made.arrivals[key] = Arrivals(draw(counts), draw(counts), draw(counts))
    return made
