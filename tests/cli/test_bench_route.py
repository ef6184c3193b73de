"""How `sse bench` reaches a server, as a user runs it: the preflight, redirects, addresses, limits of time."""

import asyncio
import json
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from namespaces import can_unshare
from real_processes import SSE
from report_json import validate
from scripted_server import Do, Script, ScriptedServer, head, trickled

from sseclient_cli.exit_codes import EXIT_NO_USABLE_STREAM, EXIT_SATURATED

STREAM: Script = [head(), b"data: x\n\n", Do.HOLD]


def to(location: str) -> Script:
    return [head(307, b"Location: %b\r\nContent-Length: 0\r\n" % location.encode())]


async def bench(*arguments: str, prefix: tuple[str, ...] = ()) -> tuple[int, dict[str, Any], str]:
    """Run `sse bench`; return its exit code, its document (empty without one), and the text without line breaks."""

    def run() -> subprocess.CompletedProcess[str]:
        command = [*prefix, *SSE, "bench", *arguments, "--json", "-"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    done = await asyncio.to_thread(run)
    document = json.loads(done.stdout) if done.stdout else {}
    if document:
        validate(document)
    return done.returncode, document, " ".join(done.stderr.split())


# The preflight.


async def test_the_report_says_that_there_was_a_request_before_the_run() -> None:
    async with ScriptedServer(to("/a"), STREAM, *[to("/a"), STREAM] * 2) as server:
        # One after the other: the scripts are played in the order of the requests.
        code, document, text = await bench(server.url, "-n", "2", "-z", "1.5s", "--ramp-up", "1s")
        assert (code, len(server.requests)) == (0, 6)
    assert document["run"]["preflight"] == {"requests": 2, "status": 200, "closed": True}
    assert document["streams"]["opened"] == 2
    assert "preflight: 2 requests before the run, not counted (skip with --no-preflight)" in text


async def test_without_a_preflight_the_streams_make_every_request() -> None:
    async with ScriptedServer(*[STREAM] * 3) as server:
        code, document, text = await bench(server.url, "-n", "3", "-z", "500ms", "--no-preflight")
        assert (code, len(server.requests)) == (0, 3)
    assert (document["run"]["preflight"], document["streams"]["opened"]) == (None, 3)
    assert "preflight" not in text


async def test_without_a_preflight_an_unreachable_target_fails_every_stream() -> None:
    async with ScriptedServer() as server:
        port = server.port
    code, document, text = await bench(f"http://localhost:{port}/", "-n", "3", "-z", "5s", "--no-preflight")
    assert (code, document["streams"]["failed"]) == (3, 3)
    assert [(error["kind"], error["count"]) for error in document["errors"]] == [("connect-refused", 3)]
    (place,) = document["run"]["addresses"]
    assert f"addresses: localhost is {place['address']}" in text


async def test_without_a_preflight_a_name_without_an_address_is_one_clear_line() -> None:
    code, document, text = await bench("http://no-such-host.invalid/", "--no-preflight")
    assert (code, document) == (3, {})
    assert text.startswith("sse: the host name of ")
    assert "has no address" in text


async def test_a_head_that_comes_too_slowly_ends_the_preflight_in_time() -> None:
    """Each byte of it comes in time; all of it would take half a minute."""
    slow: Script = [step for byte in trickled(head() * 10) for step in (byte, 0.1)]
    async with ScriptedServer(slow) as server:
        code, _, text = await bench(server.url, "--timeout", "500ms")
    assert code == 3
    assert (
        "did not answer within 0.5 s: wait longer with --timeout TIME, or skip this request with --no-preflight" in text
    )


# Redirects.


@pytest.mark.parametrize("options", [(), ("--no-preflight",), ("--no-preflight", "--workers", "2")], ids=str)
async def test_a_redirect_to_another_server_is_followed_and_shown_without_secrets(options: tuple[str, ...]) -> None:
    async with ScriptedServer(*[STREAM] * 5) as there:
        url = f"{there.url}/x?token=hush"
        async with ScriptedServer(*[to(url)] * 5) as here:
            code, document, text = await bench(here.url, "-n", "4", "-z", "1s", *options)
    shown = f"{there.url}/x?token=REDACTED"
    assert (code, document["streams"]["opened"]) == (0, 4)
    assert document["run"]["target"]["redirected_to"] == shown
    assert document["run"]["redirections"] == [{"url": shown, "streams": 4}]
    assert f"redirected: the load went to {shown}" in text
    assert "hush" not in json.dumps(document) + text
    counts = {entry["port"]: entry["connections"] for entry in document["run"]["addresses"]}
    assert counts == {here.port: 4, there.port: 4}


# Addresses.


@pytest.mark.skipif(not can_unshare("-m"), reason="needs root and unshare, for an /etc/hosts of its own")
@pytest.mark.parametrize(
    ("options", "counts", "words"),
    [
        ((), [0, 0, 6], "all 6 connections went to 127.0.0."),
        (("--all-addresses",), [2, 2, 2], "connections: 2 to 127.0.0."),
        (("--all-addresses", "--no-preflight", "--workers", "2"), [2, 2, 2], "connections: 2 to 127.0.0."),
        (("--all-addresses", "--source-address", "127.0.0.9,127.0.0.10"), [2, 2, 2], "connections: 2 to 127.0.0."),
    ],
    ids=str,
)
async def test_streams_go_to_the_address_that_answered_or_round_all_of_the_name(
    tmp_path: Path, options: tuple[str, ...], counts: list[int], words: str
) -> None:
    addresses = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"{address} pool.test\n" for address in addresses), "ascii")
    prefix = ("unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$0" "$@"')
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(ScriptedServer(*[STREAM] * 10, host=addresses[0]))
        for address in addresses[1:]:
            await stack.enter_async_context(ScriptedServer(*[STREAM] * 10, host=address, port=first.port))
        url = f"http://pool.test:{first.port}/"
        code, document, text = await bench(url, "-n", "6", "-z", "1s", *options, prefix=prefix)
    assert (code, document["streams"]["opened"]) == (0, 6)
    entries = document["run"]["addresses"]
    assert sorted(entry["connections"] for entry in entries) == counts
    assert {(entry["host"], entry["address"], entry["port"]) for entry in entries} == {
        ("pool.test", address, first.port) for address in addresses
    }
    assert f"addresses: pool.test has 3; {words}" in text
    assert ("(use all with --all-addresses)" in text) == (not options)


async def test_all_addresses_of_a_unix_socket_make_no_sense() -> None:
    code, _, text = await bench("http://h/", "--unix-socket", "/x", "--all-addresses")
    assert code == 2
    assert "--unix-socket and --all-addresses exclude each other" in text


# Limits.


async def test_the_limits_are_options_and_in_the_report() -> None:
    async with ScriptedServer(STREAM, [head(), b"data: %b\n\n" % (b"x" * 5000), Do.HOLD], [Do.HOLD]) as server:
        limits = ("--timeout", "2s", "--idle-timeout", "1m", "--max-event-bytes", "4k")
        code, document, _ = await bench(server.url, "-n", "2", "-z", "4s", *limits)
    assert {error["kind"]: error["count"] for error in document["errors"]} == {"event-too-large": 1, "unanswered": 1}
    assert code == 3
    run = document["run"]
    assert (run["target"]["connect_timeout_s"], run["target"]["head_timeout_s"]) == (2, 2)
    assert (run["plan"]["idle_timeout_s"], run["plan"]["max_event_bytes"]) == (60, 4096)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--timeout", "0"), "--timeout: '0' is not above 0"),
        (("--idle-timeout", "0s"), "--idle-timeout: '0s' is not above 0"),
        (("--max-event-bytes", "0"), "not a size above zero"),
    ],
    ids=str,
)
async def test_limits_of_zero_are_errors(option: tuple[str, str], words: str) -> None:
    code, _, text = await bench("http://127.0.0.1:1/", *option)
    assert code == 2
    assert words in text


# Exit codes.


@pytest.mark.parametrize(
    ("scripts", "options", "expected"),
    [
        pytest.param([STREAM, [head(500)]], (), 0, id="some-failed"),
        pytest.param([STREAM, [head(500)]], ("--strict",), 6, id="some-failed-strict"),
        pytest.param([STREAM, [head(), b"data: x\n\n", Do.RESET]], (), 0, id="some-broken"),
        pytest.param([STREAM, [head(), b"data: x\n\n", Do.RESET]], ("--strict",), 6, id="some-broken-strict"),
        pytest.param(
            [STREAM, [head(), b"data: x\n\n", Do.RESET], STREAM],
            ("--strict", "--on-end", "restart"),
            0,
            id="replaced-strict",
        ),
        pytest.param([STREAM, [head(), b"data: x\n\n"]], ("--strict",), 0, id="ended-in-order"),
        pytest.param([[head(500)], [head(500)]], (), 3, id="none-opened"),
        pytest.param([[head(), Do.RESET]] * 2, (), 3, id="all-broken-before-an-event"),
        pytest.param([[head(), Do.RESET]] * 2, ("--strict",), 3, id="all-broken-before-an-event-strict"),
        pytest.param([[head(), Do.RESET]] * 20, ("--on-end", "reconnect"), 3, id="all-wait-to-reconnect"),
        pytest.param([[head(), Do.RESET], [head(), Do.HOLD]], (), 0, id="one-silent-stream-left"),
    ],
)
async def test_the_exit_code_says_whether_streams_were_usable(
    scripts: list[Script], options: tuple[str, ...], expected: int
) -> None:
    async with ScriptedServer(*scripts) as server:
        code, document, text = await bench(server.url, "-n", "2", "-z", "800ms", "--no-preflight", *options)
        if "--strict" in options and document["generator"]["saturated"] and expected != EXIT_NO_USABLE_STREAM:
            expected = EXIT_SATURATED  # on a busy machine; this explains streams that failed
    assert code == expected, (document["streams"], document["errors"], document["generator"]["reasons"])
    assert ("broken by errors" in text) == (document["streams"]["broken"] > 0)
