from __future__ import annotations

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request.curl_command import Data, is_curl_command, parse_curl_command

CHROME = r"""curl 'https://api.test/v1/chat?a=1&b=2' \
  -H 'accept: text/event-stream' \
  -H 'content-type: application/json' \
  -b 'sid=1; theme=dark' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw $'{"text":"it\'s \u00fc\\n\xc3\xa9","at":"@x"}' \
  --compressed"""

FIREFOX = """curl 'https://api.test/s' --compressed -X POST -H 'Accept-Encoding: gzip, deflate, br, zstd' \\
  -H 'Content-Length: 7' -H 'Connection: keep-alive' --data-binary '@-' --insecure"""


def test_a_command_from_chrome_is_parsed_with_its_quotes() -> None:
    command = parse_curl_command(CHROME)
    assert command.url == "https://api.test/v1/chat?a=1&b=2"
    assert command.headers == [
        "accept: text/event-stream",
        "content-type: application/json",
        "user-agent: Mozilla/5.0 (X11; Linux x86_64)",
        "Accept-Encoding: gzip, deflate, br",
    ]
    assert command.cookies == ["sid=1; theme=dark"]
    assert command.data == [Data('{"text":"it\'s ü\\né","at":"@x"}')]
    assert not command.insecure


def test_a_command_from_firefox_is_parsed_without_its_codings_and_lengths() -> None:
    command = parse_curl_command(FIREFOX)
    assert (command.method, command.insecure) == ("POST", True)
    assert command.headers == ["Connection: keep-alive", "Accept-Encoding: gzip, deflate, br"]
    assert command.data == [Data("-", is_file=True)]


def test_short_options_may_be_combined_and_joined_with_their_value() -> None:
    command = parse_curl_command(
        "curl -sSNkLXPUT -uann:secret -Hx:y -d@f --url http://h/ -o /dev/null -w '%{http_code}'"
    )
    assert (command.url, command.method, command.user, command.insecure) == ("http://h/", "PUT", "ann:secret", True)
    assert command.headers == ["x:y"]
    assert command.data == [Data("f", is_file=True, without_line_ends=True)]


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        (r"'a\nb'", r"a\nb"),
        (r'"a \"b\" \\ \$HOME \`x\` \n"', r'a "b" \ $HOME `x` \n'),
        (r"$'\x41\101\u00e9\U0001f600\t\'\"\\\?\q'", "AA\xe9\U0001f600\t'\"\\?\\q"),
        (r"$'\xff'", "\udcff"),
        (r"$'\ud800'", "\ufffd"),
        (r"a\ b'c'$'d'", "a bcd"),
        ("'a\nb'", "a\nb"),
    ],
)
def test_quotes_are_interpreted_as_in_bash(quoted: str, value: str) -> None:
    assert parse_curl_command(f"curl http://h/ --data-raw {quoted}").data == [Data(value)]


def test_removed_and_empty_headers_are_interpreted_as_in_curl() -> None:
    command = parse_curl_command("curl http://h/ -H 'Expect:' -H 'X-Empty;' -H ':authority: h' --json '{}'")
    assert command.headers == ["X-Empty:", "Content-Type: application/json", "Accept: application/json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curl -sS", "has no URL"),
        ("curl http://a/ http://b/", "more than one URL"),
        ("curl http://a/ -H Authorization: Bearer tok", "check the quotes"),
        ("curl http://h/ -H", "-H of the curl command has no value"),
        ("curl http://h/ -F a=b", "-F of the curl command is not supported: leave it out"),
        ("curl http://h/ -G -d a=b", "-G of the curl command is not supported: put the parameters"),
        ("curl http://h/ --proxy http://p/", "--proxy of the curl command is not supported"),
        ("curl http://h/ -sx http://p/", "-x of the curl command is not supported"),
        ("curl http://h/ --max-time 3", "--max-time of the curl command is not supported: leave it out"),
        ("curl http://h/ -4", "-4 of the curl command is not supported"),
        ("curl http://h/ -H @headers", "reads headers from a file"),
        (
            'curl http://h/ -H "Authorization: Bearer $API_KEY"',
            "$API_KEY of the curl command is not expanded: write its value",
        ),
        ("curl http://h/$PATH_OF_IT", "$PATH_OF_IT of the curl command is not expanded"),
        ("curl http://h/ | jq", "'|' in the curl command is for a shell"),
        ("curl http://h/?a=1&b=2", "'&' in the curl command is for a shell"),
        ('curl http://h/ -d "$(cat f)"', "'$(' in the curl command is for a shell"),
        ("curl 'http://h/", "No closing quotation"),
        ('curl "http://h/" ^\n -H ^"a: b^"', "Windows' cmd"),
    ],
)
def test_an_unsupported_part_is_an_error_that_names_it(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_curl_command(text)
    assert words in str(caught.value)
    assert "tok" not in str(caught.value).replace("token", "")


@pytest.mark.parametrize("text", ["http://curl/", "curl.example/x", "curly http://h/", "localhost"])
def test_a_url_is_not_a_curl_command(text: str) -> None:
    assert not is_curl_command(text)


@pytest.mark.parametrize("text", ["curl http://h/", "  curl\thttp://h/", "curl.exe http://h/", "curl"])
def test_text_that_starts_with_curl_is_a_curl_command(text: str) -> None:
    assert is_curl_command(text)


@pytest.mark.parametrize("option", ["--http2", "--http2-prior-knowledge", "--http1.1"])
def test_the_version_of_http_is_that_of_the_command(option: str) -> None:
    assert parse_curl_command(f"curl {option} http://example.com").http2 is (option != "--http1.1")
