import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.payload.event_filter import EventFilter, pattern_of
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.payload.query import Query
from sseclient_cli.sse.event import Event

TICK = ParsedEvent(Event("tick", '{"n": 5}', ""))
TEXT = ParsedEvent(Event("message", "n is 5", ""))


def test_without_conditions_every_event_is_selected() -> None:
    assert EventFilter().selects(TICK)
    assert EventFilter().selects(TEXT)


@pytest.mark.parametrize(
    ("selected", "tick", "text"),
    [
        (EventFilter(types=frozenset({"tick", "tock"})), True, False),
        (EventFilter(where=Query("n > `4`")), True, False),
        (EventFilter(where=Query("n > `5`")), False, False),
        (EventFilter(grep=pattern_of(r"n.*\d")), True, True),
        (EventFilter(grep=pattern_of("^n")), False, True),
        (EventFilter(types=frozenset({"tick"}), where=Query("n"), grep=pattern_of("is")), False, False),
    ],
)
def test_an_event_must_meet_every_condition(selected: EventFilter, tick: bool, text: bool) -> None:
    assert (selected.selects(TICK), selected.selects(TEXT)) == (tick, text)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [("a(", "missing ), unterminated subpattern at position 2"), ("a{99999999999}", "it is too large")],
)
def test_an_invalid_regular_expression_is_a_usage_error(expression: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        pattern_of(expression)
    assert str(caught.value) == f"{expression!r} is not a regular expression: {problem}"
