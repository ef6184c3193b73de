import pytest

from sseclient_cli.payload.expected_event import ExpectedEvent
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.sse.event import Event


def meets(expression: str, data: str) -> bool:
    return ExpectedEvent.read(expression).is_met(ParsedEvent(Event("message", data, "")))


@pytest.mark.parametrize("expression", ["[DONE]", "hello world", "done", '{"status":"done"}', "v1.2", "50%", "Done."])
def test_these_are_text(expression: str) -> None:
    expected = ExpectedEvent.read(expression)
    assert (expected.query, expected.how_read) == (None, "as text")
    assert meets(expression, f"-{expression}-")
    assert not meets(expression, "other")


@pytest.mark.parametrize("expression", ["status == 'done'", "a.b", "a[0]", "!running", "length(a) > `3`"])
def test_these_are_jmespath(expression: str) -> None:
    assert ExpectedEvent.read(expression).how_read == "as JMESPath"


def test_jmespath_is_met_by_json_with_that_value() -> None:
    assert meets("status == 'done'", '{"status": "done"}')
    assert not meets("status == 'done'", '{"status": "running"}')
    assert not meets("status == 'done'", """{"text": "status == 'done'"}""")


def test_jmespath_is_text_for_data_that_is_not_json() -> None:
    assert meets("example.com", "see example.com.")
    assert not meets("example.com", '"see example.com."')


@pytest.mark.parametrize(
    ("expression", "how_read"),
    [
        ("a = 'b'", "as text (not JMESPath: '=' at position 3 is not expected: write == to compare)"),
        ("lengths(a)", "as text (not JMESPath: there is no function lengths (position 1): did you mean length?)"),
        ('a == "b"', "as JMESPath (\"b\" is a field in JMESPath, 'b' a text)"),
    ],
)
def test_a_likely_mistake_is_said(expression: str, how_read: str) -> None:
    assert ExpectedEvent.read(expression).how_read == how_read
