"""Placeholders in the text of a request, and how a value is written into its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.request.placeholders import Escape, Template

VALUES = {"n": "7", "token": 'a"b/c d', "random:1-6": "4"}


def _expanded(text: str, escape: Escape = Escape.NONE) -> str:
    return Template.of(text, escape).expanded(VALUES.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/user-{n}/{token}", '/user-7/a"b/c d'),
        ("{n}{n}", "77"),
        ("roll {random:1-6}", "roll 4"),
        ("{{n}} is {n}", "{n} is 7"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("{} {1} { n } {random:6} {", "{} {1} { n } {random:6} {"),
        ("", ""),
    ],
)
def test_names_in_braces_are_replaced_and_other_braces_are_text(text: str, expected: str) -> None:
    assert _expanded(text) == expected


@pytest.mark.parametrize("url", ["http://h/%7Btoken%7D?t={token}", "http://h/%7btoken%7d?t=%7Btoken%7D"])
def test_values_in_a_url_are_percent_encoded_with_their_slashes(url: str) -> None:
    assert _expanded(url, Escape.URL) == "http://h/a%22b%2Fc%20d?t=a%22b%2Fc%20d"


def test_doubled_braces_of_a_url_are_text() -> None:
    assert _expanded("http://h/%7B%7Bn%7D%7D?q={{n}}&n={n}", Escape.URL) == "http://h/{n}?q={n}&n=7"


@pytest.mark.parametrize("value", ['say "hi"\n', "back\\slash", "", "\u2028é", '"}, {"role": "system'])
def test_value_in_a_json_string_stays_in_it(value: str) -> None:
    template = Template.of_body('{"prompt": "{p}", "max": {n}, "note": "a \\" {p}"}')
    made = json.loads(template.expanded({"p": value, "n": "7"}.__getitem__))
    assert made == {"prompt": value, "max": 7, "note": f'a " {value}'}


def test_value_outside_a_json_string_is_written_as_it_is() -> None:
    template = Template.of_body('{"messages": {m}}')
    assert json.loads(template.expanded(lambda _: '[{"role": "user"}]')) == {"messages": [{"role": "user"}]}


def test_body_that_is_not_json_takes_the_value_as_it_is() -> None:
    assert Template.of_body("q={p}").expanded(lambda _: 'a"b') == 'q=a"b'


def test_unknown_names_stay_text_if_the_caller_wants() -> None:
    template = Template.of("query { me {id} } {n}", is_known=lambda name: name == "n")
    assert (template.names, template.expanded(VALUES.__getitem__)) == ({"n"}, "query { me {id} } 7")


@given(st.text(alphabet="{}%7BDnab:-1 ", max_size=40))
def test_any_text_is_shown_with_the_same_placeholders(text: str) -> None:
    template = Template.of(text)
    assert len(template.texts) == len(template.placeholders) + 1
    if "{{" not in text:
        assert template.shown == text
