"""Judge a reconnection with Last-Event-ID: do the events after it come again, all of them, once, in order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sseclient_cli.check.blocks import read_wire
from sseclient_cli.check.catalogue import Check, Result
from sseclient_cli.check.recording import Recording, is_limited
from sseclient_cli.check.words import counted, shown_id, shown_ids, time_words
from sseclient_cli.sse.event_stream import Event


@dataclass(frozen=True, slots=True)
class Resumption:
    """A second connection that resumed after an event of the first one.

    ``recorded`` has the events of the first connection with an ID of their own; ``place`` is that of the event named in
    Last-Event-ID, and ``promised`` the number of later ones that had arrived before the second request.
    """

    recorded: Sequence[Event]
    place: int
    promised: int
    answer: Recording | None
    status: int | None = None
    """The status of a response that is not a stream."""
    problem: str = ""
    """Why there was no response."""


def judge_replay(resumption: Resumption) -> Result:
    """Judge the events that came again."""
    check, given = Check.REPLAY, shown_id(resumption.recorded[resumption.place].id)
    if resumption.answer is None:
        return _without_stream(resumption, given)
    after, came = resumption.recorded[resumption.place + 1 :], resumption.answer.identified
    wanted = counted(resumption.promised, "event")
    if not came:
        waited = time_words(resumption.answer.watched_s)
        return check.fault(f"resumed after {given}: no event came again within {waited}, expected {wanted}")
    problem = _repeated(resumption.recorded[: resumption.place + 1], came) or _difference(
        [event.id for event in after], [event.id for event in came], resumption.promised
    )
    problem = problem or _twice(resumption.answer)
    if problem:
        return check.fault(f"resumed after {given}: {problem}")
    changed = _changed(after, came)
    if changed:
        return check.warning(f"resumed after {given}: {shown_ids(changed)} came again with other content")
    return check.ok(f"resumed after {given}: {wanted} came again, in order")


def _repeated(before: Sequence[Event], came: Sequence[Event]) -> str:
    """Return which events came again that the client already had; empty without one."""
    before_ids = {event.id for event in before}
    again = [event.id for event in came if event.id in before_ids]
    if again and came[0].id == before[0].id:
        return "the stream began again at its start, Last-Event-ID has no effect"
    return f"{shown_ids(again)} came again, which the client already had" if again else ""


def is_decided(resumption: Resumption) -> bool:
    """Return whether everything promised has come, or something that shows a fault."""
    if resumption.answer is None:
        return True
    came = [event.id for event in resumption.answer.identified]
    after = [event.id for event in resumption.recorded[resumption.place + 1 :]]
    before = {event.id for event in resumption.recorded[: resumption.place + 1]}
    return bool(before & set(came)) or len(came) > resumption.promised or came[-1:] == after[-1:]


def _without_stream(resumption: Resumption, given: str) -> Result:
    check = Check.REPLAY
    if resumption.status is None:
        return check.not_checked(f"the second connection failed: {resumption.problem}")
    if resumption.status == 204:
        return check.ok(f"resumed after {given}: status 204 ended the stream: clients stop")
    if is_limited(resumption.status):
        return check.not_checked(f"the second connection got status {resumption.status}")
    return check.fault(f"resumed after {given}: status {resumption.status}, a browser gives up")


def _twice(answer: Recording) -> str:
    """Return which IDs are on more than one event; the parser does not tell an equal ID from none."""
    ids = Counter(block.own_id for block in read_wire(answer.body).events if block.own_id)
    twice = [event_id.decode("utf-8", "replace") for event_id, count in ids.items() if count > 1]
    return f"{shown_ids(twice)} came more than once" if twice else ""


def _difference(after: list[str], came: list[str], promised: int) -> str:
    """Return how the IDs that came differ from those after the given one; empty if they do not."""
    known, present = set(after), set(came)
    last = max((place for place, event_id in enumerate(after) if event_id in present), default=-1)
    lost = [event_id for event_id in after[: max(promised, last + 1)] if event_id not in present]
    if promised and len([event_id for event_id in after[:promised] if event_id not in present]) == promised:
        return f"none of {counted(promised, 'missed event')} came again; the stream went on with {shown_id(came[0])}"
    if lost:
        return f"{shown_ids(lost)} did not come again: {counted(len(lost), 'event')} lost"
    last_known = max((place for place, event_id in enumerate(came) if event_id in known), default=-1)
    foreign = [event_id for event_id in came[: last_known + 1] if event_id not in known]
    if foreign:
        return f"{shown_ids(foreign)} came in between, which the first connection did not have"
    order = [event_id for event_id in came if event_id in known]
    return "the events came again in another order" if order != after[: len(order)] else ""


def _changed(after: Sequence[Event], came: Sequence[Event]) -> list[str]:
    by_id = {event.id: event for event in after}
    return [event.id for event in came if event.id in by_id and not _is_same(event, by_id[event.id])]


def _is_same(one: Event, other: Event) -> bool:
    """Return whether two events have the same type and content. JSON may differ in the time when it was sent."""
    if one.type != other.type:
        return False
    if one.data == other.data:
        return True
    try:
        first, second = json.loads(one.data), json.loads(other.data)
    except (ValueError, RecursionError):
        return False
    if not isinstance(first, dict) or not isinstance(second, dict) or first.keys() != second.keys():
        return False
    differing = [name for name in first if first[name] != second[name]]
    return len(differing) <= 1 < len(first)


def judge_unknown_id(
    answer: Recording | None, status: int | None, problem: str, first_ids: Sequence[str], *, is_ended: bool
) -> Result:
    """Judge the response to an ID that the server never sent.

    ``first_ids`` are those of the first connection; ``is_ended``: the server has ended it.
    """
    check = Check.UNKNOWN_ID
    if answer is None:
        if status is None:
            return check.not_checked(f"the connection failed: {problem}")
        if is_limited(status):
            return check.not_checked(f"the connection got status {status}")
        if status == 204 and is_ended:
            return check.ok("status 204: the stream is over")
        result = check.fault if status >= 500 else check.warning
        return result(f"status {status}: a browser does not reconnect")
    if not answer.identified:
        return check.ok("the stream opens, with new events only")
    is_again = answer.identified[0].id in first_ids[:1]
    return check.ok("the stream opens" + (", and begins where it began before" if is_again else ""))
