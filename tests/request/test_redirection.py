from __future__ import annotations

import pytest

from sseclient_cli.errors import BadStatusError
from sseclient_cli.request.redirection import redirected, too_many_redirects
from sseclient_cli.request.target import Target

HEADERS = ("Authorization: a", "Cookie: c", "Proxy-Authorization: p", "Host: h", "X-Mine: m")


def target(method: str = "GET", body: str | None = None) -> Target:
    return Target.parse("http://one.test/a/b?c", method=method, headers=HEADERS, body=body)


def names(of: Target) -> list[str]:
    return [name for name, _ in of.headers]


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        *((301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET")),
        *((301, "PUT", "PUT"), (302, "PUT", "PUT"), (303, "PUT", "GET")),
        *((307, "POST", "POST"), (308, "POST", "POST"), (303, "HEAD", "HEAD"), (302, "GET", "GET")),
    ],
)
def test_method_and_body_change_as_in_the_fetch_standard(status: int, method: str, then: str) -> None:
    moved = redirected(target(method, '{"a":1}'), status, {"location": "/x"})
    assert moved.method == then
    assert moved.body == (b'{"a":1}' if then == method else None)
    assert ("Content-Type" in names(moved)) is (then == method)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/x", "http://one.test/x"),
        ("x?y#z", "http://one.test/a/x?y"),
        ("?y", "http://one.test/a/b?y"),
        ("//one.test:80/x", "http://one.test/x"),
        (" HTTP://u:p@ONE.test/\xc3\xbc ", "http://one.test/%C3%BC"),
        ("/\xff", "http://one.test/%FF"),
    ],
)
def test_the_location_is_resolved_against_the_requested_url(location: str, url: str) -> None:
    moved = redirected(target(), 302, {"location": location})
    assert moved.url == url
    assert moved.headers == target().headers


@pytest.mark.parametrize("location", ["https://one.test/", "http://one.test:81/", "//two.test/"])
def test_credentials_and_host_are_not_sent_to_another_origin(location: str) -> None:
    away = redirected(target(), 302, {"location": location})
    assert names(away) == ["X-Mine"]
    assert names(redirected(away, 302, {"location": "http://one.test/"})) == ["X-Mine"]


@pytest.mark.parametrize(
    "location",
    ["", " ", "ftp://one.test/", "javascript:1", "http://a:b/", "http://h:99999/", "http://h%41/", "\x1b[2J\n"],
)
def test_an_invalid_location_is_a_bad_status_error_and_escaped(location: str) -> None:
    with pytest.raises(BadStatusError, match=r"give the stream's own URL") as caught:
        redirected(target(), 302, {"location": location})
    assert caught.value.status == 302
    assert str(caught.value).isprintable()


def test_connect_to_and_unix_socket_do_not_apply_to_another_origin() -> None:
    for option in ({"connect_to": "127.0.0.1:1"}, {"unix_socket": "x"}):
        asked = Target.parse("http://one.test/", cert_file="c", **option)  # type: ignore[arg-type]
        near = redirected(asked, 302, {"location": "/x"})
        assert (near.connect_to, near.unix_socket) == (asked.connect_to, asked.unix_socket)
        away = redirected(asked, 302, {"location": "http://one.test:81/"})
        assert (away.connect_to, away.unix_socket, away.tls) == (None, None, asked.tls)
    asked = Target.parse("http://one.test/", source_address="127.0.0.1")
    assert redirected(asked, 302, {"location": "http://two.test/"}).source_addresses == ("127.0.0.1",)


@pytest.mark.parametrize(
    "header",
    [
        *("X-Api-Key: hush", "X-Auth-Token: hush", "X-JWT: hush", "X-Passphrase: hush", "Private-Token: hush"),
        *("Referer: http://one.test/?token=hush", "X-Custom: Bearer hush"),
    ],
)
def test_custom_credentials_are_not_sent_to_another_origin(header: str) -> None:
    asked = Target.parse("http://one.test/", headers=[header, "X-Team: blue"])
    assert redirected(asked, 302, {"location": "/x"}).headers == asked.headers
    assert redirected(asked, 302, {"location": "http://two.test/"}).headers == (("X-Team", "blue"),)


@pytest.mark.parametrize(("status", "method"), [(307, "POST"), (308, "POST"), (302, "PUT")])
def test_a_body_for_another_origin_is_a_bad_status_error(status: int, method: str) -> None:
    asked = Target.parse("http://one.test/?token=hush", method=method, body="{}")
    assert redirected(asked, status, {"location": "/x"}).body == b"{}"
    with pytest.raises(
        BadStatusError, match=r"to another origin, http://two\.test/\?sig=REDACTED: its body is not"
    ) as caught:
        redirected(asked, status, {"location": "http://two.test/?sig=hush"})
    assert (caught.value.kind, "hush" in str(caught.value)) == (f"http-{status}", False)


@pytest.mark.parametrize(
    "location", ["https://me:hush@[x/", ":https://[x?token=hush", "ftp://me:hush@h/?token=hush", "x://me:p/hush@h:y/"]
)
def test_credentials_of_a_location_are_redacted(location: str) -> None:
    with pytest.raises(BadStatusError) as caught:
        redirected(Target(url="http://one.test/?token=hush"), 302, {"location": location})
    assert "hush" not in str(caught.value)
    last = too_many_redirects(Target(url="http://one.test/?token=hush"), 302, {})
    assert "http://one.test/?token=REDACTED" in str(last)
