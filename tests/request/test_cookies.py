from __future__ import annotations

import pytest

from sseclient_cli.request.cookies import MAX_COOKIE_BYTES, with_set_cookies


@pytest.mark.parametrize(
    ("before", "set_cookie", "after"),
    [
        pytest.param("", "sid=42; Path=/", "sid=42", id="one"),
        pytest.param("a=1", "b=2; Path=/; HttpOnly", "a=1; b=2", id="beside-another"),
        pytest.param("a=1; b=2", "a=3; Path=/", "a=3; b=2", id="replaced"),
        pytest.param(
            "", "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/, b=x=y; Path=/", "a=1; b=x=y", id="comma-of-a-date"
        ),
        pytest.param("a=1", "a=; Max-Age=0; Path=/", "", id="deleted"),
        pytest.param("a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", "", id="expired"),
        pytest.param("", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=9; Path=/", "a=1", id="max-age-first"),
        pytest.param("", "a=1; Path=/s/x", "", id="other-path"),
        pytest.param("", "a=1; Path=/s", "a=1", id="path-above"),
        pytest.param("", "a=1; Path=/s/ev", "", id="path-is-no-prefix-of-a-name"),
        pytest.param("", "a=1", "a=1", id="default-path"),
        pytest.param("", "a=1; Secure; Path=/", "", id="secure-over-http"),
        pytest.param("k=v", "nonsense", "k=v", id="no-pair"),
        pytest.param("k=v", "a=\r\nX-Evil: 1; Path=/", "k=v", id="line-ends"),
        pytest.param("k=v", f"a={'x' * MAX_COOKIE_BYTES}; Path=/", "k=v", id="too-long"),
        pytest.param("k=v", "a=1; Max-Age=" + "9" * 5000 + "; Expires=; Path=/", "k=v; a=1", id="absurd-age"),
    ],
)  # fmt: skip
def test_a_redirect_sets_the_cookies_of_the_next_request(before: str, set_cookie: str, after: str) -> None:
    assert with_set_cookies(before, set_cookie, "/s/start", "/s/events", is_https=False) == after


def test_a_secure_cookie_is_sent_back_over_https() -> None:
    assert with_set_cookies("", "a=1; Secure; Path=/", "/", "/x", is_https=True) == "a=1"
