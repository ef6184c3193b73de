"""Whole blocks of one order: in a loop and in columns, with heartbeats and blocks of another order between them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.sse.event_stream import EventStreamParser
from sseclient_cli.sse.grammar import DEFAULT_ORDER, Order, order_of
from sseclient_cli.sse.ordered_blocks import Blocks, few_blocks, many_blocks

BLOCKS = st.sampled_from([
    "event: a\nid: 1\ndata: x\n\n", "data: x\n\n", "data: \n\n", "id: 2\ndata: x\n\n", "data: x\ndata: y\n\n",
    "data: x\ndata\n\n", ": c\nretry: 1\ndata: x\n\n", "retry: 2\ndata: x\n\n", ": ping\n\n", ":\n\n",
    ": a\n: b\n\n", "\n\n",
])  # fmt: skip
PLAIN, LINES, EXTRAS = "data: x", "data: x\ndata: y", ": c\nretry: 1\ndata: x"


def learned(block: str) -> Order:
    order = order_of(block)
    assert order is not None
    return order


@given(st.sampled_from([PLAIN, LINES, EXTRAS]), st.lists(BLOCKS, min_size=1).map("".join))
def test_loop_and_columns_give_the_same_events_comments_and_rest(block: str, text: str) -> None:
    order = learned(block)
    assert few_blocks(order, text, "0", 1) == many_blocks(order, text, "0", 1)


@pytest.mark.parametrize("parse", [few_blocks, many_blocks])
def test_blocks_after_a_heartbeat_have_the_same_order(parse: Callable[[Order, str, str, int], Blocks]) -> None:
    events, last_id, _, comments, rest, ends_with_event = parse(
        DEFAULT_ORDER, "id: 1\ndata: a\n\n: ping\n\ndata: b\n\nretry: 5\ndata: c\n\ndata: d\n\n", "", 0
    )
    assert [(event.data, event.id) for event in events] == [("a", "1"), ("b", "1")]
    assert (last_id, comments, rest, ends_with_event) == ("1", [": ping"], "retry: 5\ndata: c\n\ndata: d\n\n", False)


@pytest.mark.parametrize("repeats", [1, 1000])
def test_comments_are_reported_in_order_of_the_stream(repeats: int) -> None:
    comments: list[str] = []
    parser = EventStreamParser(on_comment=comments.append)
    parser.feed(b": 0\ndata: x\n\n")
    parser.feed(b": 0\ndata: x\n\n: 1\n\n: 2\ndata: x\n\n: 3\n\n" * repeats)
    assert comments == [" 0", *[" 0", " 1", " 2", " 3"] * repeats]
    assert not parser.ends_with_event


def test_repeated_retry_counts_after_another_one() -> None:
    parser = EventStreamParser()
    for retry in ("1", "1", "2", "1" * 30, "2"):
        parser.feed(f"retry: {retry}\ndata: x\n\n".encode())
        assert parser.reconnection_time_ms == int(retry)
