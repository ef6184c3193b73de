"""The entries that the live view draws: in order, bounded, and each event drawn, hidden or counted."""

from __future__ import annotations

import random

import pytest

from sseclient_cli.render.watch.live_entries import Arrived, BoundedQueue, Bounds, Entry, Line, LineKind
from sseclient_cli.render.watch.live_feed import AFTER_PAUSE, LIVE, PAUSED, SHOWN_AGAIN, LiveFeed
from sseclient_cli.sse.event import Event


def add(feed: LiveFeed, count: int, data: str = "x", name: str = "message") -> None:
    for _ in range(count):
        feed.event(Event(name, data, ""), 0.0, None)


def texts(entries: list[Entry]) -> list[str]:
    return [entry.event.data if isinstance(entry, Arrived) else entry.text for entry in entries]


def all_of(feed: LiveFeed) -> list[Entry]:
    entries: list[Entry] = []
    while feed:
        entries += feed.take(50, 20)
    return entries


def test_a_view_that_keeps_up_draws_everything_in_order() -> None:
    feed = LiveFeed()
    for number in range(120):
        feed.event(Event("message", str(number), ""), 0.0, None)
        feed.line(Line(LineKind.NOTE, f"after {number}"))
    drawn = texts(all_of(feed))
    assert drawn == [text for number in range(120) for text in (str(number), f"after {number}")]
    assert feed.not_drawn("") == 0


def test_a_view_that_cannot_keep_up_draws_the_newest_and_says_how_many_it_left_out() -> None:
    feed = LiveFeed()
    for number in range(LIVE.entries + 7_000):
        feed.event(Event("message", str(number), ""), 0.0, None)
    first, *rest = feed.take(50, 20)
    assert texts([first]) == ["… 11,980 events not drawn"]
    assert texts(rest) == [str(number) for number in range(11_980, 12_000)]
    assert feed.not_drawn("") == 11_980
    assert not feed


def test_lines_that_are_left_out_are_counted_apart() -> None:
    feed = LiveFeed()
    feed.line(Line(LineKind.NOTE, "note"))
    add(feed, LIVE.entries)
    assert texts(feed.take(50, 1))[0] == "… 4,999 events and 1 other line not drawn"


def test_one_huge_event_is_drawn() -> None:
    feed = LiveFeed()
    huge = "x" * (LIVE.chars + 1)
    add(feed, 1, huge)
    assert texts(feed.take(50, 20)) == [huge]


def test_a_pause_draws_nothing_and_counts_until_it_ends() -> None:
    feed = LiveFeed()
    feed.pause()
    add(feed, 3)
    assert (feed.take(50, 20), feed.kept, bool(feed)) == ([], 3, False)
    feed.resume()
    assert texts(all_of(feed)) == ["x"] * 3


def test_a_long_pause_keeps_the_newest_and_says_how_many_it_dropped() -> None:
    feed = LiveFeed()
    feed.pause()
    add(feed, PAUSED.entries + 5)
    assert (feed.kept, feed.skipped) == (PAUSED.entries, 5)
    feed.resume()
    first, *rest = all_of(feed)
    assert texts([first]) == [f"… {PAUSED.entries + 5 - AFTER_PAUSE:,} events not drawn"]
    assert len(rest) == AFTER_PAUSE


def test_large_events_of_a_pause_are_bounded_by_their_size() -> None:
    feed = LiveFeed()
    feed.pause()
    add(feed, 100, "x" * (PAUSED.chars // 10))
    assert feed.kept < 10


def test_a_filter_shows_recent_events_again_and_hides_others() -> None:
    feed = LiveFeed()
    add(feed, 2, "apple")
    add(feed, 3, "pear")
    all_of(feed)
    feed.apply_filter("PEAR")
    assert texts(all_of(feed)) == ["filter PEAR: 3 of the last 5 events", "pear", "pear", "pear"]
    add(feed, 4, "apple")
    add(feed, 1, "pear")
    assert texts(all_of(feed)) == ["pear"]
    assert (feed.hidden, feed.not_drawn("")) == (4, 0)
    feed.apply_filter("")
    assert texts(all_of(feed))[0] == "no filter: the last 10 events again"


def test_a_filter_during_a_pause_searches_the_kept_events_and_the_pause_goes_on() -> None:
    feed = LiveFeed()
    feed.pause()
    add(feed, 500, "apple")
    add(feed, 70, "pear")
    feed.apply_filter("pear")
    left_out, rule, *shown = feed.take(50, 20)
    assert texts([left_out, rule]) == [
        "… 20 events not drawn",
        "filter pear: 70 of the last 570 events, the newest 50 again",
    ]
    assert texts(shown) == ["pear"] * SHOWN_AGAIN
    assert (feed.is_paused, feed.kept, feed.hidden, feed.not_drawn("")) == (True, 0, 500, 20)


def test_lines_for_keys_are_drawn_during_a_pause() -> None:
    feed = LiveFeed()
    feed.pause()
    add(feed, 1)
    feed.line_at_once(LineKind.NOTE, "help")
    assert texts(feed.take(50, 20)) == ["help"]


@pytest.mark.parametrize("seed", range(6))
def test_each_event_is_drawn_hidden_or_counted(seed: int) -> None:
    rng, feed = random.Random(seed), LiveFeed()
    drawn: set[int] = set()
    hidden = 0
    for _ in range(40):
        choice = rng.randrange(6)
        if choice <= 2:
            add(feed, rng.choice([1, 40, 6_000]), rng.choice(["a", "b"]))
        elif choice == 3:
            (feed.resume if feed.is_paused else feed.pause)()
        elif choice == 4:
            hidden += feed.hidden
            feed.apply_filter(rng.choice(["", "a", "b"]))
        drawn |= {entry.number for entry in feed.take(50, 20) if isinstance(entry, Arrived)}
    feed.resume()
    drawn |= {entry.number for entry in all_of(feed) if isinstance(entry, Arrived)}
    # An event that was not drawn in time may be shown again by a new filter.
    assert feed.events <= len(drawn) + hidden + feed.hidden + feed.not_drawn("")
    assert len(drawn) <= feed.events


def test_a_queue_holds_at_most_its_bounds() -> None:
    queue = BoundedQueue(Bounds(3, 10_000))
    dropped = [entry for number in range(5) for entry in queue.add(Line(LineKind.NOTE, str(number)))]
    assert texts(dropped) == ["0", "1"]
    assert texts(list(queue)) == ["2", "3", "4"]
