"""The requests of streams that differ: values in their places, URLs in turn, and errors before the run."""

import json
import pickle
from collections import Counter
from typing import Any

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.target import Target
from sseclient_cli.request.urls_file import WeightedUrl
from sseclient_cli.request.values_file import Columns

COLUMNS: Columns = {"token": ("s1", "s/2", "s 3"), "name": ("a", "b", "c"), "spare": ("", None, "")}


def _target(url: str = "http://h/{name}", columns: Columns | None = COLUMNS, **parts: Any) -> Target:
    return with_values([Target.parse(url, **parts)], [WeightedUrl(url)], columns, values_file="users.csv")


def test_each_stream_has_its_row_in_turn_and_its_number() -> None:
    target = _target("http://h/{name}?n={n}&w={worker}", headers=["X-Token: <{token}>", "Last-Event-ID: {n}"])
    made = [target.of_stream(stream, worker=stream % 2) for stream in range(4)]
    assert [each.url for each in made] == [
        "http://h/a?n=0&w=0",
        "http://h/b?n=1&w=1",
        "http://h/c?n=2&w=0",
        "http://h/a?n=3&w=1",
    ]
    assert [dict(each.headers)["X-Token"] for each in made] == ["<s1>", "<s/2>", "<s 3>", "<s1>"]
    assert [each.last_event_id for each in made] == ["0", "1", "2", "3"]


def test_random_values_are_the_same_within_a_request_and_differ_between_streams() -> None:
    target = _target("http://h/{uuid}?id={uuid}", None, headers=["X-Dice: {random:1-3}"])
    made = [target.of_stream(stream) for stream in range(60)]
    paths = [each.url.removeprefix("http://h/").split("?id=") for each in made]
    assert all(first == second for first, second in paths)
    assert len({first for first, _ in paths}) == 60
    assert {dict(each.headers)["X-Dice"] for each in made} == {"1", "2", "3"}


def test_body_with_a_number_in_a_place_is_sent_as_json() -> None:
    target = _target("http://h/", body='{"prompt": "{token}", "max_tokens": {n}}').of_stream(1)
    assert json.loads(target.body or b"") == {"prompt": "s/2", "max_tokens": 1}
    assert dict(target.headers)["Content-Type"] == "application/json"


def test_messages_to_a_websocket_have_the_values_of_their_stream() -> None:
    messages = ('{"user": "{name}", "n": {n}}', "hello")
    target = _target("ws://h/", {"name": ('a"b',)}, messages=messages)
    assert target.of_stream(3).messages == ('{"user": "a\\"b", "n": 3}', "hello")


def test_urls_have_their_share_of_the_streams() -> None:
    urls = [WeightedUrl("http://a/{n}"), WeightedUrl("http://b:81/x", 3)]
    targets = [Target.parse(each.url) for each in urls]
    target = with_values(targets, urls, urls_file="urls.txt")
    assert Counter(target.of_stream(stream).origin for stream in range(40)) == {
        ("http", "a", None): 10,
        ("http", "b", 81): 30,
    }
    assert [each.origin for each in target.other_origins()] == [("http", "b", 81)]


def test_output_shows_the_template_and_no_value() -> None:
    target = _target("http://h/{name}?token={token}", headers=["Authorization: Bearer {token}", "X-User: {name}"])
    assert target.redacted_url == target.of_stream(1).redacted_url == "http://h/{name}?token=REDACTED"
    assert dict(target.redacted_headers) == {"Authorization": "REDACTED", "X-User": "{name}"}


def test_values_and_credentials_that_a_server_quotes_are_masked() -> None:
    target = _target("http://h/{name}?t={token}", headers=["Authorization: Bearer static-secret", "X: {token}"])
    said = "no endpoint /b?t=s%2F2 for Bearer static-secret (s/2), about"
    assert target.of_stream(1).masked(said) == "no endpoint /REDACTED?t=REDACTED for Bearer REDACTED (REDACTED), about"


def test_target_without_placeholders_is_as_before() -> None:
    plain = Target.parse("http://h/?a=1", body='{"a":{"b":1}}', headers=["X-Text: {x}"])
    assert with_values([plain], [WeightedUrl("")]) is plain


def test_target_can_be_sent_to_a_worker() -> None:
    target = pickle.loads(pickle.dumps(_target()))
    assert target.of_stream(2).url == "http://h/c"


@pytest.mark.parametrize(
    ("url", "columns", "parts", "message"),
    [
        pytest.param("http://h/", COLUMNS, {}, "nothing uses the values of users.csv: write {token}", id="unused"),
        pytest.param("http://h/{named}", COLUMNS, {}, "{named} in the URL is not a column of the values", id="near"),
        pytest.param("http://h/{x}", COLUMNS, {}, "the columns are token, name, spare", id="unknown"),
        pytest.param("http://h/{name}", None, {}, "{name} in the URL has no value", id="no file"),
        pytest.param("http://h/{name}", COLUMNS, {"headers": ["X: {y}"]}, "{y} in header X", id="header"),
        pytest.param("http://h/{name}", COLUMNS, {"body": "{z}"}, "{z} in the body", id="body"),
        pytest.param("http://h/{random:5}", None, {}, "{random:5} needs two whole numbers", id="one limit"),
        pytest.param("http://h/", {"t": (" x",)}, {"headers": ["X: {t}"]}, "row 1: t has a space", id="blank"),
        pytest.param("http://h/{random:9-1}", None, {}, "lower limit must come first: write {random:1-9}", id="limits"),
        pytest.param("http://h/{spare}", COLUMNS, {}, "users.csv, row 2 has no value for spare", id="no value"),
        pytest.param("http://h/{n}", {"n": ("1",)}, {}, "{n} is a built-in placeholder, and a column", id="built-in"),
        pytest.param("http://h/", {"t": ("\r\n",)}, {"headers": ["X: {t}"]}, "row 1: t has a control", id="injection"),
    ],
)  # fmt: skip
def test_wrong_values_are_an_error_before_the_run(
    url: str, columns: Columns | None, parts: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        _target(url, columns, **parts)
    assert message in str(raised.value)


def test_urls_with_credentials_of_their_own_are_refused() -> None:
    urls = [WeightedUrl("http://u:p@a/"), WeightedUrl("http://b/")]
    with pytest.raises(UsageError, match="user and password"):
        with_values([Target.parse(each.url) for each in urls], urls, urls_file="urls.txt")
