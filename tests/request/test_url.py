"""Any text as a URL is either a valid request or a UsageError."""

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sseclient_cli.engine.http1 import request_bytes
from sseclient_cli.errors import BadStatusError, UsageError
from sseclient_cli.request.redirection import redirected
from sseclient_cli.request.target import Target

# Difficult parts of URLs, in any order.
PIECES = st.sampled_from(
    ["http://", "https://", ":", "//", "/", "[", "]", "::1", "[::1]", "[v1.a]", "%25lo", "xn--", "xn--a", "xn--ls8h",
     ".", "..", "@", "?", "#", "%", "%zz", "%41", "a", "a" * 64, "a." * 130, "\u00df", "\u2028", "\U0001f4a9", "\u0130",
     "\uff0e", "1", "80", "65536", "\uff11", "-", "_", "\\", " ", "\t", "\r\n", "\x00", "\x7f", "\ud800", "\xff",
     "javascript:", "file:", "token=x", "&", ";"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(max_size=40))


def use(target: Target) -> None:
    """Access all properties that both clients and the report use."""
    target.origin, target.host_and_port, target.peer  # noqa: B018
    target.host_and_port[0].encode("idna")  # like the resolver and ssl
    urlsplit(target.redacted_url)
    request_bytes(target)


@given(TEXTS)
@example("http://xn--a/")
@example("https://[x")
@example("http://[")
@example("http://a..b/")
@example("http://" + "a" * 300 + "/")
def test_any_text_is_a_valid_url_or_a_usage_error(text: str) -> None:
    for url in (text, f"http://{text}", f"http://h/{text}"):
        with suppress(UsageError):
            use(Target.parse(url))


@given(TEXTS)
@example("xn--a:80")
@example("xn--:80")
@example("a..b:1")
def test_any_text_is_a_valid_connect_to_or_a_usage_error(text: str) -> None:
    for place in (text, f"{text}:80"):
        with suppress(UsageError):
            use(Target.parse("http://h/", connect_to=place))


@given(TEXTS)
@example(":https://[x")
@example("http://xn--a/")
@example("//[")
@example("http:///\xff")
def test_any_location_is_followed_or_an_error(location: str) -> None:
    # Headers are bytes: each is one character.
    location = location.encode("utf-8", "surrogatepass").decode("latin-1")
    for asked in ("http://h/a?b", "https://[::1]:8443/"):
        with suppress(BadStatusError):
            use(redirected(Target.parse(asked), 302, {"location": location}))


@pytest.mark.parametrize("url", ["http://xn--ls8h.la/s", "http://xn--a/", "http://xn--/", "http://example.com./x"])
def test_a_name_that_dns_may_have_can_be_requested(url: str) -> None:
    target = Target.parse(url)
    assert target.url == url
    assert target.host_and_port == (url.split("/")[2], 80)


@pytest.mark.parametrize("host", ["a..b", ".a", ".", "a" * 64, "a." * 127 + "aa", "[fe80::1%25lo]", "["])
def test_a_host_that_cannot_have_an_address_is_a_usage_error(host: str) -> None:
    with pytest.raises(UsageError, match="names no valid host"):
        Target.parse(f"http://{host}/")


def test_the_error_for_an_unescaped_password_hides_it_and_explains_the_escapes() -> None:
    with pytest.raises(UsageError, match="as %40, %2F, %3F") as caught:
        Target.parse("http://joe:hush/hush@h/x")
    assert "hush" not in str(caught.value)
