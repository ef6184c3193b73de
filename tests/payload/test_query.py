import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sseclient_cli.errors import UsageError
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.payload.query import Query, text_of
from sseclient_cli.sse.event import Event


def parsed(data: object) -> ParsedEvent:
    return ParsedEvent(Event("message", data if isinstance(data, str) else json.dumps(data), ""))


def test_a_value_is_found_at_its_place() -> None:
    assert Query("choices[0].delta.content").find(parsed({"choices": [{"delta": {"content": "hi"}}]})) == "hi"


@pytest.mark.parametrize("data", ["[DONE]", "", "{", "NaN", '{"a": Infinity}', '{"a": 1e400}', "[" * 5000, "9" * 5000])
def test_data_that_is_not_json_has_no_value_and_meets_nothing(data: str) -> None:
    event = parsed(data)
    assert not event.is_json
    assert event.value is None
    assert Query("@").find(event) is None
    assert not Query("!a").is_met(event)


def test_data_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    event = parsed({"a": 1})
    assert Query("a").find(event) == 1
    monkeypatch.setattr(json, "loads", None)
    assert (Query("a").find(event), event.is_json) == (1, True)


@pytest.mark.parametrize(
    ("data", "is_met"),
    [(None, False), (False, False), ("", False), ([], False), ({}, False), (0, True), ("x", True), ([0], True)],
)
def test_truth_is_that_of_jmespath(data: object, is_met: bool) -> None:
    assert Query("a").is_met(parsed({"a": data})) is is_met


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "it is empty"),
        ("a ==", "it ends at position 5, where more is expected"),
        ("a.b.", "it ends at position 5, where more is expected"),
        ("a = 1", "'=' at position 3 is not expected: write == to compare"),
        ("a == 200", "'200' at position 6 is not expected: write a number in backticks: `200`"),
        ("a b", "'b' at position 3 is not expected"),
        ("a == 'x", "' at position 6 is not closed"),
        ("$.a", "'$' at position 1 is not expected: a path starts with a field: a.b"),
        ("a-b", "'-' at position 2 is not expected: write a field with a hyphen in double quotes: \"a-b\""),
        ("a['x']", "'x' at position 3 is not expected: write a field with a dot: a.b, or a.\"b c\""),
        ("b && lengths(a)", "there is no function lengths (position 6): did you mean length?"),
        ("length(a, b)", "length (position 1) takes 1 argument, not 2"),
        ("merge()", "merge (position 1) takes at least 1 argument, not 0"),
        ("(" * 2000 + "a" + ")" * 2000, "it is nested too deeply"),
    ],
)
def test_an_invalid_expression_is_a_usage_error_with_its_position(expression: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        Query(expression)
    assert str(caught.value) == f"{expression!r} is not a JMESPath expression: {problem}"


def test_a_function_may_take_more_arguments_if_it_is_variadic() -> None:
    assert Query("not_null(a, b, c)").find(parsed({"c": 3})) == 3


def test_the_old_form_of_a_string_in_backticks_is_valid() -> None:
    assert Query("a == `done`").is_met(parsed({"a": "done"}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(
    json_values,
    st.sampled_from(
        ["a[::0]", "length(a)", "sum(a)", "sort(@)", "sort_by(a, &b)", "max_by(@, &a)", "join(',', a)", "a > b",
         "to_number(a)", "abs(a)", "merge(a, b)", "map(&a, b)", "a[?b > `1`].c", "keys(a)", "&a", "a[*].b | [0]"]
    ),
)  # fmt: skip
@example({"a": 1}, "&a")
def test_no_data_makes_a_query_fail(data: object, expression: str) -> None:
    query = Query(expression)
    text_of(query.find(parsed(data)))
    query.is_met(parsed(data))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), ("a\n", "a\n"), (1.5, "1.5"), (True, "true"), ({"a": ["é", None]}, '{"a":["é",null]}')],
)
def test_a_value_as_text_is_a_string_as_it_is_or_json(value: object, text: str | None) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    "expression",
    ["a.b", "a[0]", "a[*]", "a[]", "a[?b]", "a == b", "a && b", "!a", "a | b", "length(a)", "[a.b]", "*.a"],
)
def test_an_operator_or_a_path_is_seen(expression: str) -> None:
    assert Query(expression).has_operator_or_path


@pytest.mark.parametrize("expression", ["a", "[DONE]", '{"a":"b"}', "@", "*", "[0]", "'a'", "`1`", '"a b"'])
def test_a_name_alone_is_no_path(expression: str) -> None:
    assert not Query(expression).has_operator_or_path


def test_a_comparison_with_a_field_in_double_quotes_has_a_hint() -> None:
    assert Query('a == "done"').hint == "\"done\" is a field in JMESPath, 'done' a text"
    assert Query("a == done").hint == Query("a == 'done'").hint == ""
