"""Several worker processes behave like one server. Each test starts its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest
from demo_server_processes import serving
from real_processes import children_of, is_running, until

from demo_server.connections.listeners import bind
from demo_server.supervisor import STOP_TIMEOUT_S
from demo_server.workers.counters import Counters, Number
from demo_server.workers.messages import write
from sseclient_cli import Event, EventStreamParser

WORKERS = 3
UNTIL_IT_IS_ASKED_S = 0.3  # the socket of another process cannot be inspected
LISTENERS = 30  # the probability that one worker gets all of them is 3^-29


@contextmanager
def started_workers(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a server's process and URL."""
    with serving("--access-log", "none", "--workers", str(WORKERS), *options) as served:
        yield served


def worker_processes(process: subprocess.Popen[str]) -> list[int]:
    return [pid for pid, command in children_of(process.pid).items() if "spawn_main" in command]


class Listeners:
    """Streams of one URL."""

    def __init__(self, stack: ExitStack, url: str) -> None:
        client = stack.enter_context(httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits()))
        self._responses = [stack.enter_context(client.stream("GET", url)) for _ in range(LISTENERS)]
        self._chunks = [response.iter_raw() for response in self._responses]

    def read(self, enough: int) -> list[list[Event]]:
        """Return the first events of each stream."""
        return [self._read_one(chunks, enough) for chunks in self._chunks]

    @staticmethod
    def _read_one(chunks: Iterator[bytes], enough: int) -> list[Event]:
        parser, events = EventStreamParser(), list[Event]()
        while len(events) < enough:
            events += parser.feed(next(chunks))
        return events

    def rest(self) -> list[bytes]:
        """Return the remaining bytes, to the end."""
        return [b"".join(chunks) for chunks in self._chunks]


def test_event_reaches_subscribers_of_every_worker_with_one_id_and_order() -> None:
    with started_workers() as (_, url), ExitStack() as stack:
        listeners = Listeners(stack, f"{url}/channels/x")
        answers = [httpx.post(f"{url}/channels/x", content=str(number)).json() for number in range(20)]
        heard = listeners.read(20)
    assert {answer["subscribers"] for answer in answers} == {LISTENERS}
    assert all(
        [(event.id, event.data) for event in events] == [(answer["id"], str(n)) for n, answer in enumerate(answers)]
        for events in heard
    )


def test_history_is_the_same_in_every_worker() -> None:
    with started_workers() as (_, url), ExitStack() as stack:
        first = httpx.post(f"{url}/channels/x", content="first").json()["id"]
        httpx.post(f"{url}/channels/x", content="second")
        heard = Listeners(stack, f"{url}/channels/x?last_event_id={first}").read(1)
    assert [[event.data for event in events] for events in heard] == [["second"]] * LISTENERS


def test_stats_cover_all_workers() -> None:
    with started_workers() as (_, url), ExitStack() as stack:
        listeners = Listeners(stack, f"{url}/stream?interval=3600")
        listeners.read(1)
        stats = [httpx.get(f"{url}/stats").json() for _ in range(5)]
    assert stats == [{"streams_opened": LISTENERS, "streams_open": LISTENERS, "events_sent": LISTENERS}] * 5


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they accept from the same socket")
def test_each_worker_has_its_own_socket() -> None:
    with ExitStack() as stack:
        listeners = [stack.enter_context(listener) for listener in bind("127.0.0.1", 0, WORKERS)]
        assert len({listener.fileno() for listener in listeners}) == WORKERS
        assert len({listener.getsockname() for listener in listeners}) == 1


def test_connections_are_spread_over_the_workers() -> None:
    with started_workers() as (process, url), ExitStack() as stack:
        listeners = Listeners(stack, f"{url}/load?interval=3600")
        listeners.read(1)
        sockets = [len(list(os.scandir(f"/proc/{pid}/fd"))) for pid in worker_processes(process)]
    assert len(sockets) == WORKERS
    assert max(sockets) < min(sockets) + LISTENERS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_workers_and_each_stream_with_a_shutdown_notice(number: signal.Signals) -> None:
    with started_workers() as (process, url), ExitStack() as stack:
        listeners = Listeners(stack, f"{url}/load?interval=3600")
        listeners.read(1)
        pids = worker_processes(process)
        process.send_signal(number)
        assert listeners.rest() == [b": the server is going down\n\n"] * LISTENERS
        stdout, stderr = process.communicate(timeout=STOP_TIMEOUT_S)
        assert (process.returncode, stdout, stderr) == (0, "", "")
        assert not any(map(is_running, pids))


def test_ctrl_c_on_the_terminal_reaches_all_processes_and_prints_nothing() -> None:
    command = [sys.executable, "-m", "demo_server", "--port", "0", "--workers", str(WORKERS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=STOP_TIMEOUT_S)
    assert (process.returncode, stdout, stderr) == (0, "", "")


def test_worker_that_exits_by_itself_ends_the_server_with_an_error() -> None:
    with started_workers() as (process, _):
        one, *others = worker_processes(process)
        os.kill(one, signal.SIGKILL)
        _, stderr = process.communicate(timeout=10)
    assert process.returncode == 1
    assert stderr == "demo server: a worker process exited by itself, so the server has stopped\n"
    assert not any(map(is_running, others))


def test_worker_that_does_not_stop_is_killed() -> None:
    code = "import demo_server.supervisor as w; w.STOP_TIMEOUT_S = 0.5; from demo_server.__main__ import main; main()"
    with serving("--access-log", "none", "--workers", "2", code=code) as (process, _):
        pids = worker_processes(process)
        os.kill(pids[0], signal.SIGSTOP)
        process.terminate()
        assert process.communicate(timeout=10) == ("", "")
        assert not any(map(is_running, pids))


def test_worker_killed_with_an_unread_question_ends_the_server_with_an_error() -> None:
    with (
        # Shared: on a busy machine, creating 30 contexts takes longer than the wait below.
        httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits()) as client,
        started_workers() as (process, url),
        ThreadPoolExecutor(LISTENERS) as pool,
    ):
        one, *others = worker_processes(process)
        os.kill(one, signal.SIGSTOP)
        # Some connect to the stopped worker; the questions of the others go to all workers.
        publish = partial(client.post, f"{url}/channels/x", content="x")
        publishing = [pool.submit(publish) for _ in range(LISTENERS)]
        time.sleep(UNTIL_IT_IS_ASKED_S)
        os.kill(one, signal.SIGKILL)
        _, stderr = process.communicate(timeout=10)
        statuses = {call.result().status_code for call in publishing if call.exception() is None}
    assert (process.returncode, statuses) == (1, {503})
    assert stderr == "demo server: a worker process exited by itself, so the server has stopped\n"
    assert not any(map(is_running, others))


async def test_messages_to_a_lost_worker_are_dropped_without_warnings(caplog: pytest.LogCaptureFixture) -> None:
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    writer.close()
    for _ in range(10):
        write(writer, {"question": "late"})
    theirs.close()
    assert caplog.text == ""


def test_workers_stop_when_the_supervisor_is_killed() -> None:
    with started_workers() as (process, _):
        pids = worker_processes(process)
        process.kill()
        until(lambda: not any(map(is_running, pids)))


def test_signal_during_the_start_of_workers_stops_the_started_ones() -> None:
    script = """if True:
        import signal, demo_server
        from multiprocessing.context import SpawnProcess

        start = SpawnProcess.start

        def start_and_interrupt(process):
            start(process)
            signal.raise_signal(signal.SIGTERM)

        SpawnProcess.start = start_and_interrupt
        demo_server.run(demo_server.Options(port=0, workers=2))
        """
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_worker_that_stops_first_on_the_same_signal_is_not_lost() -> None:
    script = """if True:
        import asyncio, signal, socket
        from demo_server.supervisor import wait_for_end

        async def main():
            ours, theirs = socket.socketpair()
            theirs.close()
            signals = []
            asyncio.get_running_loop().call_soon(signals.append, signal.SIGINT)
            await wait_for_end([ours], signals, None)

        asyncio.run(main())
        """
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_end_of_stdin_stops_all_workers_with_the_option() -> None:
    with started_workers("--exit-on-stdin-eof") as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        _, stderr = process.communicate(timeout=STOP_TIMEOUT_S)
    assert (process.returncode, stderr) == (0, "")


def test_port_of_another_server_with_workers_cannot_be_shared() -> None:
    with started_workers() as (_, url):
        port = url.rpartition(":")[2]
        command = [sys.executable, "-m", "demo_server", "--port", port, "--workers", "2"]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (result.returncode, result.stderr) == (
        2,
        f"demo server: cannot listen on 127.0.0.1 port {port}: Address already in use\n",
    )


@pytest.mark.parametrize("count", ["0", "-1", "65", "two"])
def test_invalid_number_of_workers_is_a_usage_error(count: str) -> None:
    command = [sys.executable, "-m", "demo_server", f"--workers={count}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert re.search("use 1 to 64", result.stderr)


def test_counter_starts_at_one_and_an_evicted_one_has_a_new_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo_server.workers.counters.MAX_COUNTERS", 2)
    counters = Counters()
    first, other = counters.next("a"), counters.next("b")
    assert (counters.next("a"), other.value) == (Number(first.epoch, 2), 1)
    counters.next("c")  # evicts b: a was used after it
    assert counters.next("a").epoch == first.epoch
    renewed = counters.next("b")
    assert (renewed.value, renewed.epoch != other.epoch) == (1, True)


def test_run_over_several_workers_has_one_numbering_and_one_report() -> None:
    with started_workers() as (_, url), ExitStack() as stack:
        # Each connection may go to another worker. The first ten requests of the run are refused on any worker.
        clients = [stack.enter_context(httpx.Client(base_url=url, trust_env=False)) for _ in range(LISTENERS)]
        path = "/faults?run=a&interval=0&count=10&drop=3&status=503&status_times=10"
        assert [client.get(path).status_code for client in clients] == [503] * 10 + [200] * (LISTENERS - 10)
        log = clients[0].get("/truth/a").json()
        assert [stream["number"] for stream in log["streams"]] == list(range(1, LISTENERS + 1))
        assert log["totals"]["ended"] == {"refused": 10, "count": LISTENERS - 10}
        assert len({tuple(stream["dropped"]["listed"]) for stream in log["streams"][10:]}) == 1
        assert clients[1].delete("/truth/a").status_code == 204
        assert {client.get("/truth/a").status_code for client in clients} == {404}
        assert clients[0].get(path).text == "request 1 of run a: injected status 503\n"
        # The same for LLM requests.
        path = "/v1/chat/completions?run=a&ttft=0&rate=0&tokens=2&refuse=0.2"
        statuses = [client.post(path, json={"stream": True}).status_code for client in clients]
        assert statuses == [200, 200, 200, 200, 429] * (LISTENERS // 5)
        log = clients[0].get("/v1/truth/a").json()
        assert [request["number"] for request in log["requests"]] == list(range(1, LISTENERS + 1))
        assert log["totals"]["ended"] == {"done": LISTENERS * 4 // 5, "refused": LISTENERS // 5}
        assert clients[1].delete("/v1/truth/a").status_code == 204
        assert {client.get("/v1/truth/a").status_code for client in clients} == {404}
