"""Events from whole blocks whose lines have one order (``grammar.Order``)."""

from __future__ import annotations

from itertools import compress, repeat

from sseclient_cli.sse.event import Event
from sseclient_cli.sse.grammar import Order, joined_data

__all__ = ["Blocks", "few_blocks", "many_blocks", "new_event"]

new_event = tuple.__new__
"""The constructor below ``Event()``, which is a Python function and takes twice as long."""

Blocks = tuple[list[Event], str, str | None, list[str], str, bool]
"""Events, last event ID, last ``retry``, comments, the rest (the text from the first block of another order on), and
whether the text ends with an event (False if there is a rest)."""


def few_blocks(order: Order, text: str, last_id: str, arrived_ns: int) -> Blocks:
    """Parse whole blocks in a loop, which takes less time than columns for up to about 20 blocks."""
    events: list[Event] = []
    comments: list[str] = []
    last_retry, other = None, ""
    for row in order.rows(text):
        if order.has_extras:
            event_type, event_id, data, retry, comment, other = order.row_fields(row)
            last_retry = retry or last_retry
            if comment:
                comments.append(comment)
        else:
            event_type, event_id, data, other = order.row_fields(row)
        if not other:
            last_id = event_id or last_id
            if not order.is_plain:
                data = joined_data(data)
            events.append(new_event(Event, (event_type or "message", data, last_id, arrived_ns)))
        elif not other.endswith("\n"):
            comments.append(other)
    rest = other if other.endswith("\n") else ""
    return events, last_id, last_retry, comments, rest, not other


def many_blocks(order: Order, text: str, last_id: str, arrived_ns: int) -> Blocks:
    """Parse whole blocks in columns: the comprehensions and `map` take less time than a loop."""
    types, ids, data, *extras, others = order.columns(order.split(text))
    retries, comments = extras or ((), ())
    rest, ends_with_event = "", others[-1] is None
    if any(others):
        is_block = [other is None for other in others]
        types, ids, data = (list(compress(column, is_block)) for column in (types, ids, data))
        if others[-1] and others[-1].endswith("\n"):
            rest = others.pop()
        comments = [comment or other for comment, other in zip(comments, others, strict=False)] if extras else others
    if not any(types):
        types = repeat("message")
    elif not all(types):
        types = [event_type or "message" for event_type in types]
    ids = [last_id := event_id or last_id for event_id in ids] if any(ids) else repeat(last_id)
    # The text has no CR any more, so it can separate the data of the events.
    if not order.is_plain and "\n" in (all_data := "\r".join(data)):
        data = joined_data(all_data).split("\r")
    events = list(map(new_event, repeat(Event), zip(types, data, ids, repeat(arrived_ns), strict=False)))
    last_retry = next(filter(None, reversed(retries)), None)
    return events, last_id, last_retry, list(filter(None, comments)), rest, ends_with_event
