import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.target import Target


def test_a_url_without_a_scheme_is_http() -> None:
    assert Target.parse("localhost:8000/stream").url == "http://localhost:8000/stream"


def test_a_body_makes_it_a_post_unless_a_method_is_given() -> None:
    assert Target.parse("http://h/", body="x").method == "POST"
    assert Target.parse("http://h/", body="x", method="put").method == "PUT"


def test_a_json_body_says_that_it_is_json_unless_a_header_says_otherwise() -> None:
    assert Target.parse("http://h/", body='{"stream": true}').headers == (("Content-Type", "application/json"),)
    assert Target.parse("http://h/", body="{}", headers=["content-type: x/y"]).headers == (("content-type", "x/y"),)
    assert Target.parse("http://h/", body="a=b").headers == ()


def test_userinfo_becomes_basic_authorization_and_leaves_the_url() -> None:
    target = Target.parse("http://user:p%40ss@h/x")
    assert target.url == "http://h/x"
    assert target.headers == (("Authorization", "Basic dXNlcjpwQHNz"),)


def test_secrets_are_replaced_in_what_may_be_shown() -> None:
    target = Target.parse("http://h/", headers=["Cookie: a=b", "X-Team: blue"], bearer="token")
    assert target.redacted_headers == (
        ("Cookie", "REDACTED"), ("X-Team", "blue"), ("Authorization", "REDACTED"),
    )  # fmt: skip
    assert "secret" not in Target(url="http://me:secret@h/").redacted_url


@pytest.mark.parametrize(
    "url",
    ["", "http://", "http:///x", "http://this is invalid/", "http://h:99999/", "http://h:0/", "http://h:x/", "ftp://h/",
     "javascript:alert(1)", "mailto:me@example.com", "about:blank", "http://[::1/"],
)  # fmt: skip
def test_what_is_no_url_of_a_stream_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        Target.parse(url)


@pytest.mark.parametrize(
    "header", ["A: \udcff", "Content-Length: 5", "novalue", ": x", "a b: c", "A: x\r\nB: y", "A: \0"]
)
def test_what_is_no_header_is_a_usage_error(header: str) -> None:
    with pytest.raises(UsageError):
        Target.parse("http://h/", headers=[header])


def test_a_url_of_bytes_that_are_not_utf_8_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        Target.parse("http://h/\udcff")


def test_a_body_of_any_bytes_goes_out_as_it_came() -> None:
    assert Target.parse("http://h/", body="a\udcff").body == b"a\xff"


def test_an_empty_token_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="empty"):
        Target.parse("http://h/", bearer=" ")


def test_two_authorizations_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--bearer"):
        Target.parse("http://h/", headers=["authorization: x"], bearer="y")
