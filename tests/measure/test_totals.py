import pickle
from typing import Any

from hypothesis import given, settings
from random_totals import (
    ENDPOINTS,
    MAX_EXAMPLES,
    Tick,
    play,
    shards,
    totals_of_a_worker,
)

from sseclient_cli.engine.reads import Reads
from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.fanout_totals import FanoutTotals
from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.reach import Arrivals, ReachSample
from sseclient_cli.measure.samples import Latency, Samples
from sseclient_cli.measure.totals import MAX_REDIRECTIONS, MAX_TYPE_BYTES, MAX_TYPES, OTHER_TYPES, Totals

Facts = dict[str, Any]


def recorded(second: int, *delivery_us: int) -> Totals:
    samples, totals = Samples(), Totals(planned=1, opened=1, open_now=1)
    samples.events = len(delivery_us)
    samples.delivery.extend(delivery_us)
    samples.types["message"] += len(delivery_us)
    totals.fold(samples, Reads(), second)
    assert (samples.events, len(samples.delivery), len(samples.types)) == (0, 0, 0)
    return totals


def test_totals_of_two_workers_merge_by_addition() -> None:
    totals = recorded(0, 10, 20)
    totals.count_error("connect-refused", "first", 0)
    other = recorded(0, 30)
    other.count_error("connect-refused", "second", 1)
    totals.merge(other)
    assert (totals.planned, totals.opened, totals.events) == (2, 2, 3)
    assert totals.types == {"message": 3}
    assert totals.latencies[Latency.DELIVERY].sum_us == 60
    assert totals.timeline[0].delivery == {10: 1, 20: 1, 30: 1}
    assert (totals.timeline[0].open_change, totals.timeline[1].errors) == (2, 1)
    assert (totals.errors["connect-refused"].count, totals.errors["connect-refused"].example) == (2, "first")


def test_names_of_event_types_are_cut_to_200_bytes() -> None:
    samples, totals = Samples(), Totals()
    fitting = ["x" * 200, "€" * 66, "\U0001f600" * 50]
    samples.types.update([*fitting, "y" * 201, "y" * 10**6, "€" * 67, "\U0001f600" * 51])
    totals.fold(samples, Reads(), 0)
    cut = {"y" * 197 + "…": 2, "€" * 65 + "…": 1, "\U0001f600" * 49 + "…": 1}
    assert totals.types == dict.fromkeys(fitting, 1) | cut
    assert max(len(name.encode()) for name in totals.types) == MAX_TYPE_BYTES


def test_the_number_of_event_types_is_limited() -> None:
    samples, totals = Samples(), Totals()
    samples.types.update(f"type {number}" for number in range(MAX_TYPES + 50))
    totals.fold(samples, Reads(), 0)
    assert len(totals.types) == MAX_TYPES + 1
    assert totals.types[OTHER_TYPES] == 50


def test_the_number_of_redirect_destinations_is_limited() -> None:
    totals = Totals()
    for number in range(MAX_REDIRECTIONS + 7):
        totals.count_redirection(f"http://h/{number}")
    totals.count_redirection("http://h/0")
    assert len(totals.redirections) == MAX_REDIRECTIONS + 1
    assert (totals.redirections["http://h/0"], totals.redirections[OTHER_TYPES]) == (2, 7)


def test_an_unused_address_is_kept_when_totals_merge() -> None:
    used, unused = ENDPOINTS
    totals = Totals()
    for _ in range(2):
        other = Totals()
        other.connections.update({used: 5, unused: 0})
        totals.merge(other)
    assert dict(totals.connections) == {used: 10, unused: 0}


def facts(totals: Totals) -> Facts:
    """Return all values of totals, in a form that compares."""
    return {name: comparable(getattr(totals, name)) for name in Totals.__slots__}


def comparable(value: object) -> object:
    if isinstance(value, Histogram):
        return (value.encoded(), value.count, value.negative, value.sum_us, value.min_us, value.max_us)
    if isinstance(value, dict):
        return {key: comparable(held) for key, held in value.items()}
    if isinstance(value, (FieldAudit, FanoutTotals, HostTotals, ReachSample, Arrivals)):
        return {name: comparable(getattr(value, name)) for name in type(value).__slots__}
    return value


def pickled(totals: Totals) -> Totals:
    made: Totals = pickle.loads(pickle.dumps(totals))
    return made


def merged(*parts: Totals) -> Totals:
    whole = pickled(parts[0])  # a copy, because merge changes its object
    for part in parts[1:]:
        whole.merge(part)
    return whole


@settings(max_examples=MAX_EXAMPLES)
@given(totals_of_a_worker(), totals_of_a_worker(), totals_of_a_worker())
def test_merging_totals_is_associative_also_after_pickling(a: Totals, b: Totals, c: Totals) -> None:
    whole = facts(merged(a, b, c))
    assert facts(merged(a, merged(b, c))) == whole
    assert facts(merged(pickled(a), pickled(b), pickled(c))) == whole
    assert facts(pickled(a)) == facts(a)


@settings(max_examples=MAX_EXAMPLES)
@given(shards, shards)
def test_two_merged_workers_equal_one_worker_with_all_samples(a: list[Tick], b: list[Tick]) -> None:
    both = facts(merged(pickled(play(Totals(), a)), pickled(play(Totals(), b))))
    one = facts(play(Totals(), a + b))
    # The peaks of two workers are added, because it is unknown whether they were at the same time.
    assert both.pop("peak_open") >= one.pop("peak_open")
    assert both == one


def test_open_streams_of_a_worker_count_in_timeline_rows_that_it_lacks() -> None:
    steady, stalled = Totals(open_now=5), Totals(open_now=7)
    for row in range(4):
        steady.fold(Samples(), Reads(), row)
    for row in (0, 3):
        stalled.fold(Samples(), Reads(), row)
    steady.merge(stalled)
    assert [steady.timeline[row].open_change for row in range(4)] == [12, 0, 0, 0]


def test_an_error_in_a_row_without_a_fold_does_not_change_open_streams() -> None:
    totals = Totals(open_now=5)
    totals.fold(Samples(), Reads(), 0)
    totals.count_error("dns", "", 1)
    totals.fold(Samples(), Reads(), 2)
    assert sum(totals.timeline[row].open_change for row in (0, 1)) == 5


def test_the_limit_of_event_types_holds_per_worker() -> None:
    many, few = Totals(), Totals()
    samples = Samples()
    samples.types.update(f"type {number}" for number in range(MAX_TYPES))
    many.fold(samples, Reads(), 0)
    samples.types["another"] += 7
    few.fold(samples, Reads(), 0)
    many.merge(few)
    assert many.types["another"] == 7
