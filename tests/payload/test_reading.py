import pytest
from llm_streams import ANTHROPIC, OPENAI_CHAT, Events, chat, data

from sseclient_cli.payload.llm_text import ChunkKind, LlmShape
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.payload.query import Query
from sseclient_cli.payload.reading import JoinedText, SelectedValues, WholeEvents
from sseclient_cli.sse.event import Event


def shown(reading: JoinedText, events: Events) -> str:
    read = [reading.read(ParsedEvent(Event(kind, text, ""))) for kind, text in events]
    return "".join(chunk.text for event in read if event is not None for chunk in event.chunks)


def test_whole_events_are_shown_as_they_are() -> None:
    event = Event("a", "b", "c", 5)
    assert WholeEvents().read(ParsedEvent(event)) is event


def test_a_selected_value_replaces_the_data_and_nothing_else() -> None:
    reading = SelectedValues(Query("a"))
    read = reading.read(ParsedEvent(Event("tick", '{"a": [1, "é"]}', "7", 5)))
    assert read == Event("tick", '[1,"é"]', "7")
    assert read.arrived_ns == 5
    assert reading.read(ParsedEvent(Event("tick", '{"b": 1}', "8"))) is None
    assert (reading.shown, reading.skipped) == (1, 1)


@pytest.mark.parametrize("events", [OPENAI_CHAT, ANTHROPIC])
def test_the_text_of_an_answer_is_joined_until_its_end(events: Events) -> None:
    reading = JoinedText()
    seen = [(shown(reading, part), reading.is_ended) for part in (events[:-1], events[-1:])]
    assert seen == [("Hello", False), ("", True)]
    assert reading.left_out.keys() == {ChunkKind.REASONING, ChunkKind.TOOL_ARGUMENTS}
    assert reading.shown == 2


def test_reasoning_is_shown_on_request() -> None:
    reading = JoinedText(with_reasoning=True)
    assert shown(reading, ANTHROPIC) == "Hm.Hello"
    assert reading.left_out.keys() == {ChunkKind.TOOL_ARGUMENTS}


def test_of_several_choices_the_first_is_shown() -> None:
    reading = JoinedText()
    assert shown(reading, [chat({"content": "a"}), chat({"content": "b"}, index=1), chat({"content": "c"})]) == "ac"
    assert reading.has_other_choices


def test_a_character_that_a_server_cut_in_two_is_whole() -> None:
    events = [data(choices=[{"text": text}]) for text in ("a\ud83d", "\ude00b", "c")]
    assert shown(JoinedText(), events) == "a😀bc"


def test_picked_texts_are_joined_and_an_end_mark_is_still_understood() -> None:
    reading = JoinedText(Query("parts[*].t || t"))
    events = [data(t="a"), data(x=1), data(parts=[{"t": "b"}, {"t": "c"}]), data(t=5), ("message", "[DONE]")]
    assert shown(reading, events) == "abc5"
    assert reading.is_ended
    assert reading.shape is None
    assert not reading.finds_nothing


def test_a_query_replaces_the_recognised_text() -> None:
    reading = JoinedText(Query("choices[].delta.reasoning_content"))
    assert shown(reading, OPENAI_CHAT) == "Hm. "
    assert reading.shape is LlmShape.OPENAI_CHAT


def test_a_stream_of_an_unknown_api_is_known_as_such() -> None:
    reading = JoinedText()
    assert shown(reading, [data(token="a")] * 5) == ""
    assert reading.finds_nothing
    assert reading.events == 5


def test_an_error_ends_the_text() -> None:
    reading = JoinedText()
    assert shown(reading, [chat({"content": "a"}), data(error={"message": "Oops"})]) == "a"
    assert (reading.is_ended, reading.error) == (True, "Oops")
