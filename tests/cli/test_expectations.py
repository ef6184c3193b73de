import pytest

from sseclient_cli.cli.expectations import MAX_TYPE_CHARS, Expectations, Verdict
from sseclient_cli.cli.reading_words import MAX_DATA_CHARS
from sseclient_cli.payload.event_filter import EventFilter, pattern_of
from sseclient_cli.payload.expected_event import ExpectedEvent
from sseclient_cli.payload.query import Query
from sseclient_cli.payload.reading import JoinedText, Reading, SelectedValues
from sseclient_cli.sse.event import Event

TOKEN = '{"choices": [{"delta": {"content": "a"}}]}'
FINISH = '{"choices": [{"delta": {}, "finish_reason": "%s"}]}'


def verdict_on(*data: str, expected: Expectations | None = None, reading: Reading | None = None) -> Verdict:
    verdict = Verdict(expected or Expectations(), reading)
    for text in data:
        kind, _, text = text.rpartition("|")
        verdict.read(Event(kind or "message", text, ""))
    return verdict


def filtered(**conditions: object) -> Expectations:
    return Expectations(selected=EventFilter(**conditions))  # type: ignore[arg-type]


def test_without_expectations_all_events_are_shown() -> None:
    verdict = verdict_on("a", "b")
    assert (verdict.shown, verdict.is_enough, verdict.unmet(), verdict.notes()) == (2, False, "", [])


def test_the_count_is_that_of_the_shown_events() -> None:
    reading = SelectedValues(Query("a"))
    verdict = verdict_on('{"a": 1}', '{"b": 1}', expected=Expectations(count=2), reading=reading)
    assert (verdict.shown, verdict.selected, verdict.is_enough) == (1, 2, False)
    assert verdict.unmet() == "received 1 of 2 events (-n)"
    verdict.read(Event("message", '{"a": 2}', ""))
    assert (verdict.is_enough, verdict.unmet()) == (True, "")


@pytest.mark.parametrize("expected", [Expectations(count=1), Expectations(count=1, no_error_event=True)])
def test_after_the_last_expected_event_no_other_is_shown(expected: Expectations) -> None:
    verdict = verdict_on("a", "b", expected=expected)
    assert (verdict.shown, verdict.is_enough, verdict.read(Event("message", "c", ""))) == (1, True, None)


@pytest.mark.parametrize(
    ("expected", "unmet"),
    [
        (filtered(types=frozenset({"tock", "tack"})), "no event of type tack, tock (--event)"),
        (filtered(where=Query("n > `5`")), "no event meets --where 'n > `5`'"),
        (filtered(grep=pattern_of("x+")), "no event meets --grep 'x+'"),
        (
            filtered(types=frozenset({"tick"}), where=Query('n == "a"'), grep=pattern_of("n")),
            "no event meets --event and --where 'n == \"a\"' and --grep 'n'",
        ),
    ],
)
def test_a_filter_that_selects_nothing_is_unmet_with_the_received_types(expected: Expectations, unmet: str) -> None:
    verdict = verdict_on('{"n": 1}', 'tick|{"n": 2}', "tick|2", expected=expected)
    assert verdict.unmet() == f"{unmet}; received types: tick (2), message (1)"


def test_messages_show_only_the_start_of_long_texts_from_the_server() -> None:
    long = "x" * 1_000_000
    expected = filtered(types=frozenset({"tick"}))
    unmet = [
        verdict_on(f"{long}|1", f"{long}|2", expected=expected).unmet(),
        verdict_on("error|" + long, expected=Expectations(no_error_event=True)).unmet(),
        verdict_on(f'{{"error": "{long}"}}', reading=JoinedText()).unmet(),
    ]
    assert unmet[0] == f"no event of type tick (--event); received types: {'x' * MAX_TYPE_CHARS}... (2)"
    assert unmet[1] == f"received an error event: error {'x' * MAX_DATA_CHARS}..."
    assert unmet[2] == f"the stream reported an error: {'x' * MAX_DATA_CHARS}..."
    reading = JoinedText()
    assert verdict_on(FINISH % long, reading=reading).notes() == [f"finish reason: {'x' * MAX_DATA_CHARS}..."]


def test_a_filter_without_any_event_says_so() -> None:
    assert verdict_on(expected=filtered(grep=pattern_of("x"))).unmet() == "no event meets --grep 'x'; no event arrived"


@pytest.mark.parametrize(
    ("expected", "unmet"),
    [
        (Expectations(until=ExpectedEvent("[DONE]")), "no event contains '[DONE]' (--until): received 2 events"),
        (
            Expectations(expect=ExpectedEvent.read("[DONE]")),
            "no event contains '[DONE]' (--expect, read as text): received 2 events",
        ),
        (
            Expectations(expect=ExpectedEvent.read("a.b == 'c'")),
            "no event meets \"a.b == 'c'\" (--expect, read as JMESPath): received 2 events",
        ),
        (
            Expectations(expect=ExpectedEvent.read("a.b == c'"), count=2),
            "no event contains \"a.b == c'\" (--expect, read as text (not JMESPath: ' at position 9 is not closed)): "
            "received 2 events",
        ),
    ],
)
def test_an_expected_event_that_did_not_arrive_is_unmet(expected: Expectations, unmet: str) -> None:
    assert verdict_on("a", '{"a": {"b": "d"}}', expected=expected).unmet() == unmet


def test_an_expected_event_ends_the_run_also_if_it_is_not_shown() -> None:
    expected = Expectations(expect=ExpectedEvent.read("status == 'done'"))
    verdict = verdict_on("{}", '{"status": "done"}', expected=expected, reading=SelectedValues(Query("n")))
    assert (verdict.is_enough, verdict.shown, verdict.unmet()) == (True, 0, "")


def test_time_limits_end_the_run_only_if_they_are_exceeded() -> None:
    expected = Expectations(expect=ExpectedEvent.read("b"), first_within_s=1, within_s=5)
    verdict = verdict_on(expected=expected)
    (first_s, first), (all_s, all_) = verdict.time_limits()
    assert (first_s, all_s) == (1, 5)
    assert first()
    verdict.read(Event("message", "a", ""))
    assert not first()
    assert all_()
    assert verdict.unmet() == "no event contains 'b' within 5 s (--expect, read as text): received 1 event"
    verdict.read(Event("message", "b", ""))
    assert not all_()
    assert verdict.unmet() == ""


def test_the_first_event_may_be_late() -> None:
    assert verdict_on(expected=Expectations(first_within_s=1)).unmet() == "no event within 1 s (--expect-within)"


def test_a_late_count_says_the_limit() -> None:
    verdict = verdict_on("a", expected=Expectations(count=3, within_s=2.5))
    assert [limit() for _, limit in verdict.time_limits()] == [True]
    assert verdict.unmet() == "received 1 of 3 events within 2.5 s (-n)"


def test_a_likely_mistake_is_said_at_the_start() -> None:
    expected = Expectations(
        selected=EventFilter(where=Query('a == "b"')), expect=ExpectedEvent.read("a = b"), until=ExpectedEvent("a = b")
    )
    assert expected.doubts() == [
        "--where: \"b\" is a field in JMESPath, 'b' a text",
        "--expect is read as text (not JMESPath: '=' at position 3 is not expected: write == to compare)",
    ]
    assert Expectations(selected=EventFilter(where=Query("a"))).doubts() == []


# The text of an LLM


@pytest.mark.parametrize(
    ("data", "unmet"),
    [
        ([TOKEN, "[DONE]"], ""),
        ([TOKEN, FINISH % "stop"], ""),
        ([], "no event arrived"),
        ([TOKEN], "the answer did not end: no finish reason and no mark of its end"),
        ([TOKEN, '{"error": {"message": "Over\\u001bloaded"}}'], "the stream reported an error: Over\\x1bloaded"),
        ([TOKEN, '{"error": {}, "type": "error"}'], "the stream reported an error: without a message"),
        (["1"], "no known LLM format in 1 event (--text): name the field of the text, for example --pick delta.text"),
    ],
)
def test_a_text_must_end_and_be_found(data: list[str], unmet: str) -> None:
    assert verdict_on(*data, reading=JoinedText()).unmet() == unmet


def test_a_text_that_the_expectations_cut_needs_no_end() -> None:
    expected = Expectations(until=ExpectedEvent("content"))
    assert verdict_on(TOKEN, expected=expected, reading=JoinedText()).unmet() == ""


def test_an_error_in_the_stream_is_said_before_an_unmet_expectation() -> None:
    expected = Expectations(until=ExpectedEvent("x"))
    verdict = verdict_on(TOKEN, '{"error": "Overloaded"}', expected=expected, reading=JoinedText())
    assert verdict.unmet() == "the stream reported an error: Overloaded"


def test_a_text_may_be_late() -> None:
    verdict = verdict_on(TOKEN, expected=Expectations(within_s=2), reading=JoinedText())
    assert [limit() for _, limit in verdict.time_limits()] == [True]
    assert verdict.unmet() == "the answer did not end within 2 s: no finish reason and no mark of its end"


@pytest.mark.parametrize(
    ("reading", "unmet"),
    [(SelectedValues(Query("a")), "no event has a value of --select"),
     (JoinedText(Query("a")), "no event has a value of --pick")],
)  # fmt: skip
def test_a_value_must_be_found_once(reading: Reading, unmet: str) -> None:
    assert verdict_on('{"b": 1}', reading=reading).unmet() == unmet
    assert verdict_on('{"a": 1}', reading=reading).unmet() == ""


def test_notes_count_the_parts_that_are_not_shown() -> None:
    text = JoinedText()
    thought = '{"choices": [{"delta": {"reasoning": "a", "tool_calls": [{"function": {"arguments": "{"}}]}}]}'
    other = '{"choices": [{"index": 1, "delta": {"content": "b"}}]}'
    assert verdict_on(thought, thought, other, FINISH % "length", reading=text).notes() == [
        "pieces not shown: 2 of reasoning, 2 of tool call arguments (reasoning is shown on a terminal)",
        "only choice 0 is shown: the answer has several (n)",
        "finish reason: length",
    ]
    assert verdict_on(TOKEN, FINISH % "stop", reading=JoinedText()).notes() == []
    assert verdict_on("{}", "1", reading=SelectedValues(Query("a"))).notes() == [
        "2 events without a value of --select not shown"
    ]


def test_an_unknown_format_is_noted_once_after_the_first_events() -> None:
    verdict = Verdict(Expectations(), JoinedText())
    notes = []
    for _ in range(10):
        verdict.read(Event("message", '{"token": "a"}', ""))
        notes.append(verdict.note())
    said = "no known LLM format in 5 events: name the field of the text, for example --pick delta.text"
    assert notes == ["", "", "", "", said, "", "", "", "", ""]
