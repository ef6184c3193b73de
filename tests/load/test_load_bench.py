"""What waits until it is decided what to read in events."""

import socket
import time

import pytest

from sseclient_cli.load import bench as load_bench
from sseclient_cli.load.bench import Arrival, Bench
from sseclient_cli.load.fields import FieldReader
from sseclient_cli.load.plan import Choice, Field
from sseclient_cli.load.poller import Poller
from sseclient_cli.load.route import Route
from sseclient_cli.protocol.event_stream import Event
from sseclient_cli.target import Address, Hop, Target

NOW_NS = 1_790_000_000_123_456_789


class Sampler:
    """Keeps what it is to sample."""

    def __init__(self) -> None:
        self.samples: list[tuple[str, int | None]] = []

    def sample(self, event: Event, arrival: Arrival | None) -> None:
        self.samples.append((event.id, None if arrival is None else arrival.at_ns))

    def resume(self) -> None:
        self.samples.append(("resumed", None))


def new_bench() -> Bench:
    hop = Hop(Target(url="http://127.0.0.1:1/"), Address(socket.AF_INET, ("127.0.0.1", 1)))
    return Bench(route=Route((hop,)), poller=Poller(), fields=FieldReader(Choice.AUTO, Choice.AUTO))


def keep(bench: Bench, stream: Sampler, read: list[Event], at_ns: int) -> None:
    """Keep the events of a read of which the last one's arrival is known."""
    bench.keep_until_decided(stream, read, [*[None] * (len(read) - 1), Arrival(at_ns, 0)], at_ns)


def events(first: int, count: int) -> list[Event]:
    return [Event("message", f'{{"ts": {NOW_NS + first}}}', str(number)) for number in range(first, first + count)]


def test_events_wait_for_the_choice_and_only_the_last_of_a_read_has_an_arrival() -> None:
    bench, stream = new_bench(), Sampler()
    for read in range(3):
        keep(bench, stream, events(2 * read, 2), NOW_NS + read)
        assert stream.samples == []
    # The fourth read: the third pair of arrivals, which proves the timestamp.
    keep(bench, stream, events(6, 2), NOW_NS + 3)
    assert (bench.fields.timestamp, bench.fields.sequence) == (Field(("ts",)), Field())
    assert [event_id for event_id, _ in stream.samples] == [str(number) for number in range(8)]
    assert [arrival for _, arrival in stream.samples] == [
        None,
        NOW_NS,
        None,
        NOW_NS + 1,
        None,
        NOW_NS + 2,
        None,
        NOW_NS + 3,
    ]
    assert not bench.waiting


def test_events_of_two_streams_are_never_taken_for_neighbours() -> None:
    bench = new_bench()
    one, other = Sampler(), Sampler()
    for number in range(12):
        # In turn: together they count by one, each by itself by two.
        keep(bench, other if number % 2 else one, events(number, 1), NOW_NS + number)
    assert bench.fields.sequence is not Field()


def test_a_new_connection_stays_between_the_events_before_and_after_it() -> None:
    bench, stream = new_bench(), Sampler()
    bench.fields.timestamp = Choice.NONE
    keep(bench, stream, events(7, 2), NOW_NS)
    bench.connection_lost(stream)
    keep(bench, stream, events(1, 4), NOW_NS)
    assert [event_id for event_id, _ in stream.samples] == ["7", "8", "resumed", "1", "2", "3", "4"]


@pytest.mark.parametrize(("limit_chars", "sequence"), [(30, Field()), (29, Choice.NONE)])
def test_when_too_much_waits_there_is_no_choice(
    monkeypatch: pytest.MonkeyPatch, limit_chars: int, sequence: object
) -> None:
    monkeypatch.setattr(load_bench, "MAX_UNDECIDED_CHARS", limit_chars)
    bench, stream = new_bench(), Sampler()
    bench.fields.timestamp = Choice.NONE
    for number in range(1, 5):
        keep(bench, stream, [Event("message", "0123456789", str(number))], NOW_NS)
    assert bench.fields.sequence == sequence
    assert len(stream.samples) == 4


def test_what_waits_from_the_warm_up_has_no_arrival_when_it_is_measured() -> None:
    bench, stream = new_bench(), Sampler()
    bench.warm_wall_ns = NOW_NS + 2
    for read in range(4):
        keep(bench, stream, events(read, 1), NOW_NS + read)
    assert [arrival for _, arrival in stream.samples] == [None, None, NOW_NS + 2, NOW_NS + 3]


def test_no_more_than_so_many_events_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_bench, "MAX_UNDECIDED_EVENTS", 2)
    bench, stream = new_bench(), Sampler()
    for number in range(3):
        keep(bench, stream, [Event("message", "", f"x{number}")], NOW_NS)
    assert not bench.fields.undecided
    assert len(stream.samples) == 3


def test_a_wall_clock_that_is_set_forward_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = new_bench()
    bench.ends_ns = time.monotonic_ns() + 10**12
    bench.look_at_clocks()
    assert time.time_ns() < bench.ends_wall_ns
    later_ns = time.time_ns() + 3600 * 10**9
    monkeypatch.setattr(load_bench, "time_ns", lambda: later_ns)
    assert later_ns > bench.ends_wall_ns
    assert not bench.is_over()
    assert later_ns < bench.ends_wall_ns
