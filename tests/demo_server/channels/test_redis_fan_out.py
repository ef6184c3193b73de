"""Channels of several server processes through a real Redis, and without anything between the processes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
from channel_streams import ChannelStream, open_streams
from demo_server_processes import serving
from real_processes import streams_open, until
from redis_process import PASSWORD, RedisProcess, redis_process

from demo_server.channels.redis_fan_out import STREAM_EVENTS
from demo_server.channels.redis_server import EVENTS_KEY
from demo_server.channels.subscriber import MAX_BEHIND_BYTES

names = count(1)
QUIET = ("--access-log", "none")


@pytest.fixture(scope="module", name="redis")
def start_redis() -> Iterator[RedisProcess]:
    with redis_process() as server:
        yield server


@pytest.fixture(scope="module", name="servers")
def start_two_servers(redis: RedisProcess) -> Iterator[list[str]]:
    """One of two workers, one of a single one: three processes."""
    with ExitStack() as stack:
        options = (*QUIET, "--redis", redis.url)
        yield [stack.enter_context(serving(*options, "--workers", n, stderr=None))[1] for n in ("2", "1")]


@pytest.fixture(name="channel")
def name_of_a_new_channel() -> str:
    return f"channels/test-{next(names)}"


@pytest.fixture(name="stack")
def resources() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def publish(url: str, data: str, **query: str) -> str:
    response = httpx.post(url, content=data, params=query, timeout=30, trust_env=False)
    assert response.status_code == 201, response.text
    assert response.json()["subscribers"] is None  # those of other servers are unknown
    return str(response.json()["id"])


def test_events_of_all_servers_reach_all_subscribers_in_one_order(
    servers: list[str], channel: str, stack: ExitStack
) -> None:
    streams = [stream for server in servers for stream in open_streams(stack, f"{server}/{channel}", 10)]
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda n: publish(f"{servers[n % 2]}/{channel}", str(n)), range(60)))
    heard = [[(event.id, event.data) for event in stream.read(60)] for stream in streams]
    assert all(events == heard[0] for events in heard)
    assert sorted(heard[0]) == sorted((event_id, str(n)) for n, event_id in enumerate(ids))
    assert [int(event_id.rpartition("-")[2]) for event_id, _ in heard[0]] == list(range(1, 61))
    assert len({event_id.rpartition("-")[0] for event_id in ids}) == 1


def test_type_and_data_arrive_unchanged(servers: list[str], channel: str, stack: ExitStack) -> None:
    (stream,) = open_streams(stack, f"{servers[0]}/{channel}", 1)
    publish(f"{servers[1]}/{channel}", "é\n\nb\x00", event="käse")
    publish(f"{servers[1]}/{channel}", "")
    assert [(event.type, event.data) for event in stream.read(2)] == [("käse", "é\n\nb\x00"), ("message", "")]


def test_client_that_reconnects_to_another_server_receives_the_missed_events(
    servers: list[str], channel: str, stack: ExitStack
) -> None:
    ids = [publish(f"{servers[0]}/{channel}", str(n)) for n in range(5)]
    client = stack.enter_context(httpx.Client(timeout=30, trust_env=False))
    stream = ChannelStream(stack, client, f"{servers[1]}/{channel}", ids[1])
    publish(f"{servers[0]}/{channel}", "now")
    assert [event.data for event in stream.read(4)] == ["2", "3", "4", "now"]


def test_server_that_starts_later_has_the_history(
    redis: RedisProcess, servers: list[str], channel: str, stack: ExitStack
) -> None:
    ids = [publish(f"{servers[0]}/{channel}", str(n)) for n in range(3)]
    _, late = stack.enter_context(serving(*QUIET, "--redis", redis.url, stderr=None))
    client = stack.enter_context(httpx.Client(timeout=30, trust_env=False))
    stream = ChannelStream(stack, client, f"{late}/{channel}", ids[0])
    assert [event.data for event in stream.read(2)] == ["1", "2"]


def test_each_process_reads_with_one_connection(
    redis: RedisProcess, servers: list[str], channel: str, stack: ExitStack
) -> None:
    open_streams(stack, f"{servers[0]}/{channel}", 30)
    until(lambda: streams_open(servers[0]) >= 30)  # /stats covers both workers
    until(lambda: redis.blocked_readers() == 3)  # between two reads, a process has none


def test_foreign_entries_of_the_stream_are_ignored(
    redis: RedisProcess, servers: list[str], channel: str, stack: ExitStack
) -> None:
    (stream,) = open_streams(stack, f"{servers[0]}/{channel}", 1)
    with redis.client() as client:
        client.xadd(EVENTS_KEY, {"a": "b"})
        name = channel.removeprefix("channels/")
        client.xadd(EVENTS_KEY, {"channel": name, "epoch": "x", "number": "1x", "type": "", "data": "\xff"})
    publish(f"{servers[0]}/{channel}", "real")
    assert [event.data for event in stream.read(1)] == ["real"]


def test_stream_in_redis_is_bounded_and_expires(redis: RedisProcess, servers: list[str], channel: str) -> None:
    with redis.client() as client, client.pipeline() as pipeline:
        for _ in range(STREAM_EVENTS + 150):
            pipeline.xadd(EVENTS_KEY, {"a": "b"})
        pipeline.execute()
        publish(f"{servers[1]}/{channel}", "x")
        assert STREAM_EVENTS <= client.xlen(EVENTS_KEY) < STREAM_EVENTS + 150  # trimmed by whole nodes
        assert client.ttl(EVENTS_KEY) > 0


def test_slow_subscriber_is_dropped_and_does_not_delay_others(
    servers: list[str], channel: str, stack: ExitStack
) -> None:
    small_buffer = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 256 << 10),)
    (slow,) = open_streams(stack, f"{servers[1]}/{channel}", 1, small_buffer)
    (quick,) = open_streams(stack, f"{servers[1]}/{channel}", 1)
    text = "x" * 60_000
    most_bytes_in_buffers = (512 << 10) + int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text("ascii").split()[2])
    with httpx.Client(timeout=30, trust_env=False) as publisher:
        for _ in range((MAX_BEHIND_BYTES + most_bytes_in_buffers) // len(text) + 10):
            publisher.post(f"{servers[0]}/{channel}", content=text)
            assert quick.read(1)[0].data == text
    *_, dropped = slow.rest()
    assert dropped.type == "dropped"


def test_streams_outlive_redis_and_publishing_says_why_it_fails(channel: str, stack: ExitStack, tmp_path: Path) -> None:
    log = stack.enter_context((tmp_path / "log").open("w"))
    redis = stack.enter_context(redis_process())
    process, server = stack.enter_context(serving(*QUIET, "--workers", "2", "--redis", redis.url, stderr=log))
    url = f"{server}/{channel}"
    streams = open_streams(stack, url, 10)
    publish(url, "before")
    assert {stream.read(1)[0].data for stream in streams} == {"before"}
    redis.stop()
    refusal = httpx.post(url, content="lost", trust_env=False)
    assert (refusal.status_code, refusal.headers["Retry-After"]) == (503, "1")
    assert refusal.json()["detail"].startswith("not published: Redis at /")
    assert streams_open(server) == 10
    streams += open_streams(stack, url, 2)  # subscribing does not need Redis
    redis.start()
    publish(url, "after")  # nothing was kept, so the numbering restarts
    assert {stream.read(1)[0].data for stream in streams} == {"after"}
    process.terminate()
    process.wait(10)
    lines = Path(log.name).read_text("utf-8").splitlines()
    assert sum("streams stay open" in line for line in lines) == 2, lines  # one per worker
    assert sum("connected again" in line for line in lines) == 2, lines
    assert len(lines) == 4
    assert not any("secret" in line for line in [*lines, refusal.text])


def test_event_without_an_answer_of_redis_may_be_published_but_only_once(channel: str, stack: ExitStack) -> None:
    redis = stack.enter_context(redis_process())
    _, server = stack.enter_context(serving(*QUIET, "--redis", redis.url))
    url = f"{server}/{channel}"
    (stream,) = open_streams(stack, url, 1)
    publish(url, "before")
    with redis.suspended():
        refusal = httpx.post(url, content="doubtful", timeout=30, trust_env=False)
    assert refusal.status_code == 503
    assert refusal.json()["detail"].startswith("it is unknown whether the event was published: Redis at /")
    publish(url, "after")
    assert [event.data for event in stream.read(3)] == ["before", "doubtful", "after"]


@contextmanager
def unused_socket() -> Iterator[str]:
    with redis_process() as server:
        server.stop()
        yield server.url


@pytest.mark.parametrize("program", ["demo_server", "sseclient_cli demo"])
def test_redis_that_is_down_at_the_start_is_one_line_without_the_password(program: str) -> None:
    module, *command = program.split()
    with unused_socket() as url:
        result = subprocess.run(
            [sys.executable, "-m", module, *command, "--port", "0", "--workers", "2", "--redis", url],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert "cannot use Redis at /" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


def test_wrong_password_is_an_error_at_the_start(redis: RedisProcess) -> None:
    url = redis.url.replace("password=a%20", "password=another%20")
    command = [sys.executable, "-m", "demo_server", "--port", "0", "--redis", url]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 2
    assert result.stderr.endswith(": invalid username-password pair or user is disabled\n")
    assert PASSWORD not in result.stderr


def test_separate_channels_reach_only_the_subscribers_of_one_worker(channel: str, stack: ExitStack) -> None:
    """The usual mistake: with N processes, 1 / N of all events reach a subscriber."""
    _, server = stack.enter_context(serving(*QUIET, "--workers", "2", "--separate-channels"))
    url = f"{server}/{channel}"
    streams = open_streams(stack, url, 30)  # the probability that one worker gets all of them is 2^-29
    each_on_its_own_connection = httpx.Limits(max_keepalive_connections=0)
    client = stack.enter_context(httpx.Client(trust_env=False, limits=each_on_its_own_connection))
    answers = [client.post(url, content=str(n)).json() for n in range(30)]
    by_epoch = {answer["id"].rpartition("-")[0]: answer["subscribers"] for answer in answers}
    assert len(by_epoch) == 2  # each worker numbers its own events
    assert sum(by_epoch.values()) == 30
    for stream in streams:
        first = stream.read(1)[0].id.rpartition("-")[0]
        own = [str(n) for n, answer in enumerate(answers) if answer["id"].startswith(f"{first}-")]
        assert [event.data for event in stream.read(len(own) - 1)] == own[1:]
    assert streams_open(server) == 30  # counters still cover all workers
