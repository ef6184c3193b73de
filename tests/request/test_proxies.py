"""The choice of the proxy for a URL."""

from __future__ import annotations

import httpx
import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request.proxied import through_given_proxy, through_proxy
from sseclient_cli.request.proxies import Proxies, parse_proxy
from sseclient_cli.request.target import Target

FAR = "http://events.test/s"


def proxy_of(url: str, **environment: str) -> str | None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        proxy = Proxies.of_environment().proxy_for(httpx.URL(url))
    return None if proxy is None else proxy.url


def test_each_scheme_has_its_own_variable() -> None:
    both = {"http_proxy": "http://a:1", "https_proxy": "http://b:2"}
    assert proxy_of("http://events.test/", **both) == "http://a:1"
    assert proxy_of("https://events.test/", **both) == "http://b:2"
    assert proxy_of("https://events.test/", http_proxy="http://a:1") is None


def test_all_proxy_applies_to_schemes_without_a_variable() -> None:
    both = {"all_proxy": "http://all:1", "http_proxy": "http://a:1"}
    assert proxy_of("http://events.test/", **both) == "http://a:1"
    assert proxy_of("https://events.test/", **both) == "http://all:1"


def test_lower_case_takes_precedence_over_upper_case() -> None:
    assert proxy_of(FAR, HTTP_PROXY="http://large:1") == "http://large:1"
    assert proxy_of(FAR, HTTP_PROXY="http://large:1", http_proxy="http://small:1") == "http://small:1"
    assert proxy_of(FAR, HTTP_PROXY="http://large:1", http_proxy="") is None


def test_upper_case_http_proxy_is_ignored_in_a_cgi_script() -> None:
    """There, a client can set it with a Proxy header (CVE-2016-1000110)."""
    assert proxy_of(FAR, HTTP_PROXY="http://evil:1", REQUEST_METHOD="GET") is None


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.9.9.9"),
        *("[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"),
    ],
)
def test_no_proxy_of_the_environment_is_used_for_this_machine(host: str) -> None:
    assert proxy_of(f"http://{host}:8000/", http_proxy="http://a:1", all_proxy="http://a:1") is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_direct"),
    [
        ("*", "events.test", True),
        ("other.test, *", "events.test", True),
        ("events.test", "events.test", True),
        ("EVENTS.test", "events.test", True),
        ("events.test", "a.events.test", True),
        (".events.test", "a.events.test", True),
        ("*.events.test", "a.events.test", True),
        ("events.test", "myevents.test", False),
        ("a.events.test", "events.test", False),
        ("other.test events.test", "events.test", True),
        ("events.test", "events.test.", True),
        ("events.test:81", "events.test:81", True),
        ("events.test:81", "events.test:82", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("fd00::/8", "[fd00::7]", True),
        ("fd00::7", "[fd00::7]:81", True),
        ("[fd00::7]", "[fd00::7]", True),
        ("fd00::8", "[fd00::7]", False),
        (",. ,", "events.test", False),
    ],
)
def test_no_proxy_matches_hosts_domains_and_networks(no_proxy: str, host: str, is_direct: bool) -> None:
    assert (proxy_of(f"http://{host}/", http_proxy="http://a:1", no_proxy=no_proxy) is None) is is_direct


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://a:3128", "http://a:3128"),
        ("a:3128", "http://a:3128"),
        ("a", "http://a:80"),
        ("https://a", "https://a:443"),
        ("https://a:80", "https://a:80"),
        ("socks5://a", "socks5://a:1080"),
        ("SOCKS5H://a:80", "socks5://a:80"),
        ("http://[::1]:3128/", "http://[::1]:3128"),
        ("http://user:secret@a:3128", "http://a:3128"),
        ("user:secret@a:3128", "http://a:3128"),
    ],
)
def test_the_url_of_a_proxy_is_parsed_as_in_curl(text: str, url: str) -> None:
    proxy = parse_proxy(text)
    assert proxy.url == url
    assert (proxy.authorization is not None) == ("secret" in text)
    assert "secret" not in repr(proxy) + str(proxy)


def test_user_and_password_of_a_proxy_may_be_percent_encoded() -> None:
    assert parse_proxy("http://us%40er:p%3Aw@a").authorization == "Basic dXNAZXI6cDp3"  # us@er:p:w


@pytest.mark.parametrize("text", ["socks4://u:secret@a:1", "ftp://u:secret@a", "http://u:secret@a b", "http://a:99999"])
def test_the_error_for_an_invalid_proxy_does_not_contain_its_password(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_proxy(text)
    assert "secret" not in str(caught.value)


def test_an_invalid_variable_is_an_error_where_it_applies() -> None:
    assert proxy_of("https://events.test/", http_proxy="socks4://a:1") is None
    with pytest.raises(UsageError, match=r"all_proxy of the environment is a socks4:// URL.*no_proxy"):
        proxy_of(FAR, all_proxy="socks4://a:1")


def test_an_https_proxy_for_an_https_url_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="give an http:// proxy"):
        proxy_of("https://events.test/", https_proxy="https://a")


def test_an_explicit_proxy_applies_to_all_urls_and_an_empty_one_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://a:1")
    monkeypatch.setenv("no_proxy", "*")
    near = Target.parse("http://127.0.0.1:8000/")
    given = through_proxy(near, "http://b:2").proxy
    assert given is not None
    assert (given.url, given.variable) == ("http://b:2", None)
    monkeypatch.delenv("no_proxy")
    for proxy, trust_env in (("", True), (None, False)):
        assert through_proxy(Target.parse(FAR), proxy, trust_env=trust_env).proxy is None


def test_connect_to_and_unix_socket_cannot_be_combined_with_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://a:1")
    target = Target.parse(FAR, connect_to="10.0.0.7:80")
    assert through_proxy(target, None).proxy is None
    assert through_given_proxy(target, None).proxy is None
    with pytest.raises(UsageError, match="exclude each other"):
        through_proxy(target, "http://a:1")


def test_a_load_test_does_not_use_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target.parse(FAR)
    monkeypatch.setenv("HTTP_PROXY", "http://user:secret@a:1")
    with pytest.raises(UsageError, match=r"HTTP_PROXY .*REDACTED@a:1") as caught:
        through_given_proxy(target, None)
    assert "secret" not in str(caught.value)
    assert through_given_proxy(target, "").proxy is None
    given = through_given_proxy(target, "http://b:2").proxy
    assert given is not None
    assert given.url == "http://b:2"
    with pytest.raises(UsageError, match="a load cannot go through a SOCKS proxy"):
        through_given_proxy(target, "socks5://b:2")
    assert through_given_proxy(Target.parse("http://localhost:8000/"), None).proxy is None
    monkeypatch.setenv("no_proxy", "events.test")
    assert through_given_proxy(target, None).proxy is None
