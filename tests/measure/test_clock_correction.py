"""A correction of the wall clock shifts what is compared with the server's clock, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest

from sseclient_cli.engine.clock import RunClock
from sseclient_cli.engine.observer import Connected, Opened
from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure.event_sampler import EventSampler
from sseclient_cli.measure.field_choice import Choice, Field, FieldChoice
from sseclient_cli.measure.field_reader import KnownFields
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.undecided_events import UndecidedEvents
from sseclient_cli.sse.event_stream import Event
from sseclient_cli.units import NS_PER_S

SENT_NS = 1_800_000_000 * NS_PER_S
UPTIME_NS = 1_000 * NS_PER_S


def measured(correction_ns: int, timestamp: FieldChoice, *, warm_up_s: int = 0) -> tuple[dict[str, Any], Counter[int]]:
    """Measure the same two connections with 30 reads each. Return the samples, and the differences of the Dates."""
    clock = RunClock(correction_ns)
    clock.offset_ns = UPTIME_NS - SENT_NS
    clock.warm_ns = UPTIME_NS + warm_up_s * NS_PER_S
    with Poller() as poller:
        known = KnownFields(timestamp, Choice.AUTO)
        measurement = Measurement(clock=clock, poller=poller, undecided=UndecidedEvents(known), expects_replays=True)
        sampler = EventSampler(measurement)
        for connection in range(2):
            connect(sampler, poller, SENT_NS + 6 * connection * NS_PER_S)
        sampler.finished(UPTIME_NS + 20 * NS_PER_S)
        sampler.reach_end_of_run(UPTIME_NS + 20 * NS_PER_S, is_open=True)
    return asdict(measurement.samples), measurement.heads.date_differences_s


def connect(sampler: EventSampler, poller: Poller, began_ns: int) -> None:
    """Open a connection. Each event arrives 3 to 32 ms after it was sent; every third read has two events."""
    monotonic_ns = began_ns - SENT_NS + UPTIME_NS
    sampler.connecting(monotonic_ns, monotonic_ns + 1_000)
    sampler.connected(monotonic_ns, Connected(monotonic_ns + 2_000, monotonic_ns + 3_000, is_tls=True))
    sampler.opened(
        Opened(
            headers={"date": "Fri, 15 Jan 2027 08:00:08 GMT"}, requested_ns=monotonic_ns + 4_000,
            arrival_ns=began_ns + 9_000, arrival_monotonic_ns=monotonic_ns + 9_000, is_exact=True, is_alone=True,
        )
    )  # fmt: skip
    for number in range(1, 31):
        sent_ns = began_ns + number * NS_PER_S // 10
        events = [
            Event("message", f'{{"ts": {sent_ns}}}', str(number * 2 + place)) for place in range(1 + (not number % 3))
        ]
        arrival_ns = sent_ns + 2_000_000 + number * 1_000_000
        poller.empty_ns = arrival_ns  # so that the arrival of the first of two events is known
        arrival_monotonic_ns = arrival_ns - SENT_NS + UPTIME_NS
        sampler.received(b"", events, arrival_ns, arrival_monotonic_ns, is_exact=True, is_fresh=True)
        sampler.commented(1)
    sampler.ended(monotonic_ns + 5 * NS_PER_S, monotonic_ns + 4 * NS_PER_S, is_cut=True)


@pytest.mark.parametrize(("correction_ns", "replayed"), [(250_000_000, 0), (-250_000_000, 2)])
@pytest.mark.parametrize("timestamp", [Field(("ts",)), Choice.AUTO], ids=["named", "detected"])
def test_delivery_shifts_by_exactly_the_correction_and_no_duration_changes(
    correction_ns: int, replayed: int, timestamp: FieldChoice
) -> None:
    plain, _ = measured(0, timestamp)
    corrected, _ = measured(correction_ns, timestamp)
    delivery = plain.pop("delivery")
    assert len(delivery) == plain["events"] == 80
    assert list(corrected.pop("delivery")) == [each - correction_ns // 1000 for each in delivery]
    # Events that the server sent before the request of a reconnection, by the server's clock.
    assert (plain.pop("replayed"), corrected.pop("replayed")) == (0, replayed)
    assert corrected == plain
    assert len(plain["gap"]) > 50


@pytest.mark.parametrize("correction_ns", [-NS_PER_S, NS_PER_S])
def test_the_end_of_the_warm_up_does_not_move(correction_ns: int) -> None:
    plain, _ = measured(0, Choice.AUTO, warm_up_s=1)
    corrected, _ = measured(correction_ns, Choice.AUTO, warm_up_s=1)
    assert 50 < len(plain["delivery"]) == len(corrected["delivery"]) < 80


def test_the_difference_of_the_servers_date_is_corrected() -> None:
    timestamp = Field(("ts",))
    assert [measured(each * NS_PER_S, timestamp)[1] for each in (0, 3, -1)] == [
        {8: 1, 2: 1},
        {11: 1, 5: 1},
        {7: 1, 1: 1},
    ]
