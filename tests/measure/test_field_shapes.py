"""``auto`` on the shapes of real streams: it audits sequences, and never a look-alike.

Each shape yields the events of one run with 1 to 20 streams, step by step.
"""

import json
import random
from collections.abc import Callable, Iterator

import pytest
from engines import engine_context, measurement_of

from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure.audit_totals import Audit, Candidate, judge
from sseclient_cli.measure.event_fields import EventFields
from sseclient_cli.measure.undecided_events import Arrival, Read
from sseclient_cli.sse.event_stream import Event

NOW_NS = 1_790_000_000_123_456_789
INTERVAL_NS = 100_000_000
STREAMS = 20
STEPS = 120

Shape = Callable[[random.Random], Iterator[tuple[int, Event]]]


def event(data: object = "x", event_id: object = "", event_type: str = "message") -> Event:
    return Event(event_type, data if isinstance(data, str) else json.dumps(data), str(event_id))


def judged(shape: Shape) -> tuple[Audit | None, list[Candidate]]:
    """Return the judgement of a run with these events, in this order, each with the number of its stream."""
    with Poller() as poller:
        measurement = measurement_of(engine_context(poller))
        fields_by_stream: dict[int, EventFields] = {}
        for order, (stream, each) in enumerate(shape(random.Random(1))):
            fields = fields_by_stream.setdefault(stream, EventFields(measurement))
            at_ns = NOW_NS + order * INTERVAL_NS // STREAMS
            fields.take(Read([each], at_ns, Arrival(at_ns, 0), None))
        for fields in fields_by_stream.values():
            fields.finish()
        assert measurement.undecided.waiting_bytes == measurement.undecided.searching == 0
        return judge(measurement.audits)


def every_stream(make: Callable[[int, int], Event | None]) -> Shape:
    """Each stream receives ``make(stream, step)`` in each step; None is no event."""

    def shape(_chance: random.Random) -> Iterator[tuple[int, Event]]:
        for step in range(STEPS):
            for stream in range(STREAMS):
                made = make(stream, step)
                if made is not None:
                    yield stream, made

    return shape


def is_lost(stream: int, step: int) -> bool:
    return (stream * 31 + step * 17) % 23 == 0


# Sequences, each with its number of losses. A stream can lose only numbers between its own first and last one.

LOST = sum(is_lost(stream, step) for stream in range(STREAMS) for step in range(1, STEPS - 1))


def losing(make: Callable[[int, int], Event]) -> Callable[[int, int], Event | None]:
    return lambda stream, step: None if is_lost(stream, step) and 0 < step < STEPS - 1 else make(stream, step)


def hello(make: Callable[[int, int], Event]) -> Callable[[int, int], Event]:
    return lambda stream, step: event("connected") if step == 0 else make(stream, step)


def by_type(_stream: int, step: int) -> Event:
    name = "prices" if step % 3 else "news"
    return event({"seq": step // 3 if name == "news" else step - step // 3}, event_type=name)


def some_without_number(chance: random.Random) -> Iterator[tuple[int, Event]]:
    """A status event after each numbered event."""
    for step in range(STEPS):
        for stream in range(STREAMS):
            yield stream, event({"message_id": step, "text": f"{chance.random()}"})
            yield stream, event({"status": "busy"}, event_type="status")


def one_stream_only(_chance: random.Random) -> Iterator[tuple[int, Event]]:
    for step in range(STEPS):
        yield 0, event("x", step)


def joined_late(_chance: random.Random) -> Iterator[tuple[int, Event]]:
    """A broadcast that streams join one after the other."""
    for step in range(STEPS):
        for stream in range(min(STREAMS, step + 1)):
            yield stream, event({"n": "x"}, 10_000 + step)


SEQUENCES = {
    "an id per stream": (every_stream(lambda _, step: event("x", step)), 0, "id"),
    "an id per stream, with losses": (every_stream(losing(lambda _, step: event("x", step))), LOST, "id"),
    "a broadcast that streams join late": (joined_late, 0, "id"),
    "seq in the data, with losses": (every_stream(losing(lambda _, step: event({"seq": step}))), LOST, "data.seq"),
    "sequence_number, nested": (
        every_stream(lambda _, step: event({"meta": {"sequence_number": step}})), 0, "data.meta.sequence_number"
    ),
    "digits in a string": (every_stream(losing(lambda _, step: event({"offset": f"{step:06}"}))), LOST, "data.offset"),
    "behind a first event of another kind": (every_stream(hello(lambda _, step: event("x", step))), 0, "id"),
    "numbered by type": (every_stream(by_type), 0, "data.seq"),
    "some events without a number": (some_without_number, 0, "data.message_id"),
    "a single stream": (one_stream_only, 0, "id"),
    "a field of any name that never fails": (every_stream(lambda _, step: event({"tick": step})), 0, "data.tick"),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "lost", "source"), SEQUENCES.values(), ids=SEQUENCES)
def test_a_sequence_is_audited(shape: Shape, lost: int, source: str) -> None:
    audit, candidates = judged(shape)
    assert audit is not None, candidates
    assert (audit.source, audit.lost, audit.duplicated, audit.out_of_order) == (source, lost, 0, 0)
    assert audit.unconfirmed == 0


# Look-alikes: nothing is lost in any of them.


def users_online(chance: random.Random) -> Iterator[tuple[int, Event]]:
    online = 1041
    for _ in range(STEPS):
        for stream in range(STREAMS):
            yield stream, event({"users": online, "price": 17.5})
        online += chance.choice([1, 1, 1, 0, -1, 3])


def users_that_only_join(chance: random.Random) -> Iterator[tuple[int, Event]]:
    """A broadcast: the number usually grows by one, and by more when several users join at once."""
    orders = 1041
    for step in range(STEPS):
        for stream in range(STREAMS):
            yield stream, event({"seq": orders} if step % 2 else {"seq": orders, "note": chance.random()})
        orders += 1 if chance.random() < 0.9 else 4


def index_of_an_llm(_chance: random.Random) -> Iterator[tuple[int, Event]]:
    """Content blocks of Anthropic's API: the index is that of the block, not of the event."""
    for stream in range(STREAMS):
        for index in range(8):
            yield stream, event({"type": "content_block_start", "index": index}, event_type="content_block_start")
            for token in range(index % 4):
                yield stream, event({"index": index, "delta": f"{token}"}, event_type="content_block_delta")
            yield stream, event({"type": "content_block_stop", "index": index}, event_type="content_block_stop")


def percentage(chance: random.Random) -> Iterator[tuple[int, Event]]:
    for stream in range(STREAMS):
        done = 0
        while done < 100:
            yield stream, event({"progress": done})
            done += 1 if chance.random() < 0.9 else 2


def shared_counter(chance: random.Random) -> Iterator[tuple[int, Event]]:
    """Each user receives only the events for that user; one counter numbers all events."""
    for number in range(STREAMS * STEPS):
        yield chance.randrange(STREAMS), event(f"for one user {number}", number)


def shared_counter_with_one_busy_user(chance: random.Random) -> Iterator[tuple[int, Event]]:
    for number in range(1000):
        yield 0 if chance.random() < 0.9 else 1, event(f"for one user {number}", number)


def shared_counter_of_one_user(chance: random.Random) -> Iterator[tuple[int, Event]]:
    """The other users are not among the streams of the run."""
    for number in range(1000):
        if chance.random() < 0.9:
            yield 0, event(f"for one user {number}", number)


def versions(chance: random.Random) -> Iterator[tuple[int, Event]]:
    version = 1
    for _ in range(STEPS):
        for stream in range(STREAMS):
            yield stream, event({"version": version, "doc": "x" * chance.randrange(5)})
        version += chance.choice([1, 1, 1, 2])


def database_ids(chance: random.Random) -> Iterator[tuple[int, Event]]:
    """A broadcast of rows; transactions that are rolled back skip numbers."""
    number = 1
    for _ in range(STEPS):
        for stream in range(STREAMS):
            yield stream, event({"row": number}, number)
        number += 1 if chance.random() < 0.95 else 3


def seconds_up(chance: random.Random) -> Iterator[tuple[int, Event]]:
    """The server's uptime once a second. Sometimes it is the same as before, or two more."""
    for stream in range(STREAMS):
        uptime_s = 500
        for _ in range(STEPS):
            yield stream, event({"uptime": uptime_s})
            uptime_s += chance.choice([1] * 18 + [0, 2])


def random_ids(chance: random.Random) -> Iterator[tuple[int, Event]]:
    for _ in range(STEPS):
        for stream in range(STREAMS):
            yield stream, event("x", chance.randrange(10**6))


def milliseconds(_chance: random.Random) -> Iterator[tuple[int, Event]]:
    for step in range(STEPS):
        for stream in range(STREAMS):
            yield stream, event({"sent": NOW_NS // 10**6 + step * 100}, NOW_NS // 10**6 + step)


LOOK_ALIKES = [
    users_online, users_that_only_join, index_of_an_llm, percentage, shared_counter, shared_counter_with_one_busy_user,
    shared_counter_of_one_user, versions, database_ids, seconds_up, random_ids, milliseconds,
]  # fmt: skip


@pytest.mark.parametrize("shape", LOOK_ALIKES, ids=lambda shape: shape.__name__)
def test_a_look_alike_never_reports_a_fault(shape: Shape) -> None:
    audit, _ = judged(shape)
    assert audit is None or (audit.lost, audit.duplicated, audit.out_of_order) == (0, 0, 0), audit


@pytest.mark.parametrize("shape", [users_online, percentage, versions, seconds_up], ids=lambda shape: shape.__name__)
def test_a_dropped_field_is_a_candidate(shape: Shape) -> None:
    audit, candidates = judged(shape)
    assert audit is None
    assert len(candidates) == 1
