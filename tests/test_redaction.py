"""Redacted URLs and headers contain no credential in any place."""

import json

import pytest

from sseclient_cli.redaction import (
    carries_credential,
    is_credential,
    masked,
    redacted_header,
    redacted_text,
    redacted_url,
)

NAMES = [
    "token", "access_token", "id-token", "accessToken", "jwt", "X-JWT", "pwd", "X-Pwd", "pass", "userPass",
    "password", "passphrase", "X-Passphrase", "sid", "PHPSESSID", "session_id", "code", "verification_code",
    "otp", "key", "api_key", "apikey", "apiKey", "X-Api-Key", "Ocp-Apim-Subscription-Key", "secret",
    "client_secret", "signature", "X-Amz-Signature", "sig", "auth", "authorization", "X-Auth-Token",
    "Proxy-Authorization", "Cookie", "ticket", "pin", "X-Amz-Security-Token", "credential", "X-CSRF-Token",
]  # fmt: skip

HARMLESS = [
    "max_tokens", "author", "authors", "status_code", "country_code", "compass", "passenger", "inside",
    "signal", "monkeys", "page", "cursor", "Accept", "User-Agent", "Last-Event-ID", "Content-Type",
    "Cache-Control", "X-Request-ID", "Referer",
]  # fmt: skip

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodXNoIn0.hush"


@pytest.mark.parametrize("name", NAMES)
def test_a_credential_is_found_by_its_name_in_a_query_and_in_a_header(name: str) -> None:
    assert redacted_url(f"http://h/?a=1&{name}=hush#{name}=hush") == f"http://h/?a=1&{name}=REDACTED#{name}=REDACTED"
    assert redacted_header(name, "hush") == "REDACTED"
    assert carries_credential(name, "hush")


@pytest.mark.parametrize("name", HARMLESS)
def test_a_name_that_only_resembles_a_credential_is_not_redacted(name: str) -> None:
    assert not is_credential(name)
    assert redacted_url(f"http://h/?{name}=x%20y&b=+") == f"http://h/?{name}=x%20y&b=+"


@pytest.mark.parametrize(
    "url",
    [
        "http://hush:hush@h/",
        "//me:hush@h/",
        "http://h/?%74oken=hush",
        "http://h/?a=1;token=hush;b=2",
        "http://h/x;jsessionid=hush/y",
        "http://h/?to=http%3A%2F%2Fx%2F%3Ftoken%3Dhush%26a%3D1",
        "http://h/?to=http%253A%252F%252Fx%252F%253Ftoken%253Dhush",
        "http://h/?to=http%25253A%25252F%25252Fx%25252F%25253Ftoken%25253Dhush",
        "http://h/?to=http://me:hush@x/",
        "http://h/?to=%2Flogin%3Fnext%3D%252Fcb%253Fcode%253Dhush",
        "http://h/?http://x/?token=hush",
        "http://h/?q=a%26token%3Dhush",
        "http://h/" + "?a=http://x/" * 50 + "?token=hush",
        f"http://h/{JWT}/x",
        f"http://h/?a={JWT}",
        "?token=hush",
    ],
)
def test_no_credential_remains_in_any_part_of_a_url(url: str) -> None:
    assert "hush" not in redacted_url(url)
    assert "hush" not in redacted_text(f"what happened to http://h/{url}: this")


@pytest.mark.parametrize("url", ["http://joe:pa/hush@h/x", "http://joe:h@sh/hu?sh#hush@h/x", "x://joe:[hush@h"])
def test_the_password_of_a_malformed_url_extends_to_the_last_at_sign(url: str) -> None:
    assert "sh" not in redacted_url(url, malformed=True)


def test_a_url_without_credentials_is_unchanged() -> None:
    url = "http://h:8000/users/@me/x;v=1?to=http%3A%2F%2Fx%2F%3Fa%3D1&b=%20+&c&d=&max_tokens=5#e"
    assert redacted_url(url) == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Referer", "http://x/?token=hush"),
        ("Origin", "http://me:hush@x"),
        ("X-Mine", "Bearer hush"),
        ("X-Mine", JWT),
        ("X-Mine", "user=x, token=hush"),
        ("Link", '<http://x/?a=b c&sig=hush>; rel="y"'),
    ],
)
def test_the_value_of_any_header_is_searched_for_credentials(name: str, value: str) -> None:
    assert "hush" not in redacted_header(name, value)
    assert carries_credential(name, value)


def test_a_header_without_credentials_is_unchanged() -> None:
    for value in ("text/event-stream;q=0.9, */*", "tool/1.0 (+http://x.test/y?z=1)", "basic", ""):
        assert redacted_header("X-Mine", value) == value
        assert not carries_credential("X-Mine", value)


PROMPT = 'She said "hush" today, é,\nand \ud800 more.  Then she left.'


@pytest.mark.parametrize(
    "quoted",
    [
        PROMPT,
        " ".join(PROMPT.split()),
        json.dumps(PROMPT),
        json.dumps(PROMPT, ensure_ascii=False),
        PROMPT[:30] + "…",
        json.dumps(PROMPT)[:30],
    ],
    ids=["as it is", "on one line", "JSON", "JSON not in ASCII", "cut", "JSON cut"],
)
def test_a_long_value_is_masked_in_each_form_in_which_a_server_quotes_it(quoted: str) -> None:
    said = masked(f"bad input {quoted}; twice: {quoted}", [PROMPT])
    assert said.count("REDACTED") == 2
    assert "hush" not in said
    assert "left" not in said
    assert "today" not in said


@pytest.mark.parametrize("place", [(0, 60), (20, 70), (45, 200), (30, 62)])
def test_a_part_of_a_long_value_is_masked_wherever_it_begins(place: tuple[int, int]) -> None:
    value = "; ".join(f"{number} little words about the river" for number in range(6))
    part = value[slice(*place)]
    for before in ("", "cannot read: ", "x" * 7):
        assert masked(f"{before}{part}!", [value]) == f"{before}REDACTED!"


def test_a_few_words_that_a_server_shares_with_a_prompt_stay() -> None:
    said = "the request is not an event stream"
    assert masked(said, ["Tell me what an event stream is, and why it is not an event."]) == said


def test_a_value_of_spaces_masks_no_other_text() -> None:
    assert masked("a b c", [" " * 20, "a" + " " * 9 + "b"]) == "a b c"


def test_only_the_beginning_of_a_long_value_is_searched() -> None:
    assert masked("said: word word word word", ["word " * 1_000_000]) == "said: REDACTED"
