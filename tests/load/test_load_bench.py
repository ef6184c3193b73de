"""What waits until it is decided what to read in events."""

import socket

import pytest

from sseclient_cli.load import bench as load_bench
from sseclient_cli.load.bench import Bench
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

    def sample(self, event: Event, arrival_ns: int | None) -> None:
        self.samples.append((event.id, arrival_ns))

    def resume(self) -> None:
        self.samples.append(("resumed", None))


def new_bench() -> Bench:
    hop = Hop(Target(url="http://127.0.0.1:1/"), Address(socket.AF_INET, ("127.0.0.1", 1)))
    return Bench(route=Route((hop,)), poller=Poller(), fields=FieldReader(Choice.AUTO, Choice.AUTO))


def events(first: int, count: int) -> list[Event]:
    return [Event("message", f'{{"ts": {NOW_NS + first}}}', str(number)) for number in range(first, first + count)]


def test_events_wait_for_the_choice_and_only_the_last_of_a_read_has_an_arrival() -> None:
    bench, stream = new_bench(), Sampler()
    for read in range(3):
        bench.keep_until_decided(stream, events(2 * read, 2), NOW_NS + read)
        assert stream.samples == []
    # The fourth read: the third pair of arrivals, which proves the timestamp.
    bench.keep_until_decided(stream, events(6, 2), NOW_NS + 3)
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
        bench.keep_until_decided(other if number % 2 else one, events(number, 1), NOW_NS + number)
    assert bench.fields.sequence is not Field()


def test_a_new_connection_stays_between_the_events_before_and_after_it() -> None:
    bench, stream = new_bench(), Sampler()
    bench.fields.timestamp = Choice.NONE
    bench.keep_until_decided(stream, events(7, 2), NOW_NS)
    bench.connection_lost(stream)
    bench.keep_until_decided(stream, events(1, 4), NOW_NS)
    assert [event_id for event_id, _ in stream.samples] == ["7", "8", "resumed", "1", "2", "3", "4"]


@pytest.mark.parametrize(("limit_chars", "sequence"), [(30, Field()), (29, Choice.NONE)])
def test_when_too_much_waits_there_is_no_choice(
    monkeypatch: pytest.MonkeyPatch, limit_chars: int, sequence: object
) -> None:
    monkeypatch.setattr(load_bench, "MAX_UNDECIDED_CHARS", limit_chars)
    bench, stream = new_bench(), Sampler()
    bench.fields.timestamp = Choice.NONE
    for number in range(1, 5):
        bench.keep_until_decided(stream, [Event("message", "0123456789", str(number))], NOW_NS)
    assert bench.fields.sequence == sequence
    assert len(stream.samples) == 4
