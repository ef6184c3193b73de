import pickle
import socket

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.request.tls import Tls


def test_a_url_without_a_scheme_is_http() -> None:
    assert Target.parse("localhost:8000/stream").url == "http://localhost:8000/stream"


def test_the_default_method_is_post_with_a_body() -> None:
    assert Target.parse("http://h/", body="x").method == "POST"
    assert Target.parse("http://h/", body="x", method="put").method == "PUT"


def test_the_default_content_type_of_a_json_body_is_json() -> None:
    assert Target.parse("http://h/", body='{"stream": true}').headers == (("Content-Type", "application/json"),)
    assert Target.parse("http://h/", body="{}", headers=["content-type: x/y"]).headers == (("content-type", "x/y"),)
    assert Target.parse("http://h/", body="a=b").headers == ()


def test_timeout_s_limits_connecting_and_the_response_head_and_the_default_only_connecting() -> None:
    limited, default = Target.parse("http://h/", timeout_s=2.5), Target.parse("http://h/")
    assert (limited.connect_timeout_s, limited.head_timeout_s) == (2.5, 2.5)
    assert (default.connect_timeout_s, default.head_timeout_s) == (10, None)
    with pytest.raises(UsageError, match="`timeout_s` must be above 0"):
        Target.parse("http://h/", timeout_s=0)


def test_userinfo_becomes_basic_authorization_and_is_removed_from_the_url() -> None:
    target = Target.parse("http://user:p%40ss@h/x")
    assert target.url == "http://h/x"
    assert target.headers == (("Authorization", "Basic dXNlcjpwQHNz"),)


def test_credentials_are_redacted_for_output() -> None:
    target = Target.parse("http://h/", headers=["Cookie: a=b", "X-Team: blue"], bearer="token")
    assert target.redacted_headers == (
        ("Cookie", "REDACTED"), ("X-Team", "blue"), ("Authorization", "REDACTED"),
    )  # fmt: skip
    assert "secret" not in Target(url="http://me:secret@h/").redacted_url


def test_the_repr_in_the_log_of_another_program_shows_no_credential() -> None:
    target = Target.parse("http://h/?token=hush-query", headers=["X-Key: hush-header"], body="hush-body")
    shown = repr([ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", 7)))])
    assert "Target('http://h/?token=REDACTED')" in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    "url",
    ["", "http://", "http:///x", "http://this is invalid/", "http://h:99999/", "http://h:0/", "http://h:x/", "ftp://h/",
     "javascript:alert(1)", "mailto:me@example.com", "about:blank", "http://[::1/"],
)  # fmt: skip
def test_an_invalid_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        Target.parse(url)


@pytest.mark.parametrize(
    "header", ["A: \udcff", "Content-Length: 5", "novalue", ": x", "a b: c", "A: x\r\nB: y", "A: \0"]
)
def test_an_invalid_header_is_a_usage_error(header: str) -> None:
    with pytest.raises(UsageError):
        Target.parse("http://h/", headers=[header])


def test_a_url_that_is_not_utf_8_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        Target.parse("http://h/\udcff")


def test_a_body_of_any_bytes_is_sent_unchanged() -> None:
    assert Target.parse("http://h/", body="a\udcff").body == b"a\xff"


def test_an_empty_token_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="empty"):
        Target.parse("http://h/", bearer=" ")


def test_two_authorizations_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="`bearer`"):
        Target.parse("http://h/", headers=["authorization: x"], bearer="y")


# Addresses and client certificates


@pytest.mark.parametrize(
    ("text", "peer", "words"),
    [
        ("127.0.0.1:8443", ("127.0.0.1", 8443), "127.0.0.1:8443"),
        ("[::1]:80", ("::1", 80), "[::1]:80"),
        ("Bücher.example:1", ("xn--bcher-kva.example", 1), "xn--bcher-kva.example:1"),
    ],
)
def test_connect_to_is_a_host_and_a_port(text: str, peer: tuple[str, int], words: str) -> None:
    target = Target.parse("https://example.com/", connect_to=text)
    assert (target.connect_to, target.peer, target.url) == (peer, words, "https://example.com/")


@pytest.mark.parametrize(
    "text", ["", "h", "h:", ":80", "h:0", "h:65536", "h:-1", "h:1:2", "::1:80", "[::1]", "[x]:1", "a b:1", "http://h:1",
             "u@h:1", "h%41:1", "h/:1"]
)  # fmt: skip
def test_an_invalid_connect_to_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"`connect_to` like 127\.0\.0\.1:8443"):
        Target.parse("http://h/", connect_to=text)


@pytest.mark.parametrize(
    ("url", "peer"), [("https://h/", "h:443"), ("http://h/", "h:80"), ("http://[::1]:81/", "[::1]:81")]
)
def test_the_default_peer_is_the_host_of_the_url(url: str, peer: str) -> None:
    assert Target.parse(url).peer == peer
    assert Target.parse(url, unix_socket="/run/x.sock").peer == "the unix socket /run/x.sock"


def test_source_addresses_are_addresses_of_this_machine() -> None:
    target = Target.parse("http://h/", source_address="127.0.0.2, 127.0.0.3")
    assert target.source_addresses == ("127.0.0.2", "127.0.0.3")
    assert Target.parse("http://h/", source_address="::1").source_addresses == ("::1",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not an IP address"),
        ("127.0.0.1,", "'' is not an IP address"),
        ("localhost", "'localhost' is not an IP address: write `source_address` like"),
        ("127.0.0.1,::1", "mixes IPv4 and IPv6"),
        (
            "127.0.0.1,192.0.2.1",
            r"cannot connect from `source_address` 192\.0\.2\.1 \(cannot assign",
        ),
    ],
)
def test_an_invalid_source_address_is_a_usage_error(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Target.parse("http://h/", source_address=text)


def test_a_unix_socket_cannot_be_combined_with_other_addresses() -> None:
    with pytest.raises(UsageError, match="`unix_socket` and `connect_to` exclude each other"):
        Target.parse("http://h/", unix_socket="x", connect_to="h:1")
    with pytest.raises(UsageError, match="`unix_socket` and `source_address` exclude each other"):
        Target.parse("http://h/", unix_socket="x", source_address="127.0.0.1")
    with pytest.raises(UsageError, match="`unix_socket` must be the path"):
        Target.parse("http://h/", unix_socket="")


def test_tls_options_are_kept_with_the_target() -> None:
    assert Target.parse("https://h/").tls == Tls(verify=True)
    target = Target.parse("https://h/", insecure=True, cert_file="c", key_file="k")
    assert target.tls == Tls(verify=False, cert_file="c", key_file="k")
    assert pickle.loads(pickle.dumps(target)) == target


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "apiKey", "sig", "password", "X-Amz-Signature"])
def test_credentials_in_the_query_are_redacted(name: str) -> None:
    shown = Target(url=f"http://h/x?a=1&{name}=hush&max_tokens=5").redacted_url
    assert "hush" not in shown
    assert "a=1" in shown
    assert "max_tokens=5" in shown


@pytest.mark.parametrize("name", ["X-Api-Key", "X-Auth-Token", "Cookie", "authorization", "Proxy-Authorization"])
def test_credentials_in_headers_are_redacted(name: str) -> None:
    target = Target(url="http://h/", headers=((name, "hush"), ("Accept-Language", "en")))
    assert target.redacted_headers == ((name, "REDACTED"), ("Accept-Language", "en"))


@pytest.mark.parametrize("url", ["http://me:hush@h:99999/", "http://me:hush@[::1/x", "http://me:hush@/"])
def test_the_error_for_an_invalid_url_does_not_contain_its_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse(url)
    assert "hush" not in str(caught.value)


def test_the_error_for_an_invalid_header_does_not_contain_its_value() -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse("http://h/", headers=["Authorization Bearer hush"])
    assert "hush" not in str(caught.value)
