"""Push endpoints release their resources when the client disconnects or stalls, and at shutdown.

The tests share one real server, except those that stop it. Each begins without open streams.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from demo_server_processes import END_WITHIN_S
from running_demo import EVENT_STREAMS, PUSH_ENDPOINTS, WITHOUT_GC, Demo, running_demo
from websockets.exceptions import ConnectionClosedOK

COMPLETIONS = "/v1/chat/completions"
COMPLETION_REQUEST = '{"stream": true}'
NOTICE = "the server is going down"
HTTP_ENDPOINTS = [path for path in PUSH_ENDPOINTS if path != "/ws"]
each_endpoint = pytest.mark.parametrize("path", PUSH_ENDPOINTS)


def read_to_end(connection: socket.socket) -> bytes:
    """Read to the end, as fast as possible."""
    received = bytearray()
    while chunk := connection.recv(1 << 20):
        received += chunk
    return bytes(received)


@each_endpoint
# Without a second event during a test, the timer cannot end such a stream.
@pytest.mark.parametrize("pace", ["interval=3600", "interval=0&size=10000", "interval=0"])
def test_stream_is_closed_within_a_second_of_its_client(demo: Demo, path: str, pace: str) -> None:
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(demo.open_stream(f"{path}?{pace}"))
        demo.wait_for_stats(10, lambda counters: counters["streams_open"] == 10)
    demo.wait_until_idle(1)


@pytest.mark.parametrize("pace", ["interval=3600", "interval=0"])
def test_websocket_is_closed_when_its_client_closes(demo: Demo, pace: str) -> None:
    with demo.connect(f"/ws?{pace}") as websocket:
        websocket.send("what a client says is read and passed over")
        websocket.recv()
        websocket.close(4000, "enough")
        assert (websocket.close_code, websocket.close_reason) == (4000, "enough")
    demo.wait_until_idle(1)


def test_event_is_counted_only_when_the_kernel_has_all_of_it(demo: Demo) -> None:
    sent_before = demo.stats()["events_sent"]
    with demo.open_stream("/load?rate=0&size=1000000") as connection:
        stalled_at = settle(lambda: demo.stats()["events_sent"] - sent_before)
        # uvicorn treats a half-closed connection as lost: it writes its buffer, with the event that was being sent, and
        # closes.
        connection.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).count(b'"}\n\n') == stalled_at + 1
    assert demo.stats()["events_sent"] - sent_before == stalled_at


@pytest.mark.parametrize("path", ["/load", "/faults"])
def test_counted_events_have_left_the_process(path: str) -> None:
    paced = f"{path}?rate=0&size=20000"  # by default, asyncio would buffer some events of this size
    with running_demo("--access-log", "none") as demo, demo.open_stream(paced) as connection:
        stalled_at = settle(lambda: demo.stats()["events_sent"])
        demo.process.kill()
        assert read_to_end(connection).count(b'"}\n\n') == stalled_at


def settle(read: Callable[[], int]) -> int:
    """Return the first value that is stable over many reads, because the kernel's buffers are full."""
    value, repeats = read(), 0
    while repeats < 200 or not value:
        latest = read()
        value, repeats = (value, repeats + 1) if latest == value else (latest, 0)
    return value


def test_stalled_clients_are_disconnected() -> None:
    code = "import demo_server.connections.stall_timeout as t; t.STALL_TIMEOUT_S = 1; "
    with running_demo("--access-log", "none", code=code + WITHOUT_GC) as demo, ExitStack() as stack:
        for path in PUSH_ENDPOINTS:
            stack.enter_context(demo.open_stream(f"{path}?interval=0&size=1000000"))
        completion = f"{COMPLETIONS}?rate=0&ttft=0&tokens=100000"
        stack.enter_context(demo.open_stream(completion, body=COMPLETION_REQUEST))
        demo.wait_for_stats(10, lambda counters: counters["streams_open"] == len(PUSH_ENDPOINTS) + 1)
        demo.wait_until_idle(30)
        assert demo.end() == ""


def test_sse_starlette_endpoint_has_its_own_send_timeout() -> None:
    code = "import demo_server.connections.stall_timeout as t; t.STALL_TIMEOUT_S = 3600; "
    code += "import demo_server.streams.stream as s; s.SEND_TIMEOUT_S = 0.5; "
    code += "from demo_server.__main__ import main; main()"
    with running_demo("--access-log", "none", code=code) as demo, demo.open_stream("/stream?interval=0&size=1000000"):
        demo.wait_until_idle(20)
        assert demo.stats()["streams_opened"] == 1
        assert demo.end() == ""


def test_slow_but_reading_client_is_not_disconnected() -> None:
    code = "import demo_server.connections.stall_timeout as t; t.STALL_TIMEOUT_S = 1; "
    code += "from demo_server.__main__ import main; main()"
    with running_demo("--access-log", "none", code=code) as demo, ExitStack() as stack:
        connections = [
            stack.enter_context(demo.open_stream(f"{path}?rate=0&size=1000000")) for path in ("/load", "/ws")
        ]
        until_s = time.monotonic() + 2.5
        while time.monotonic() < until_s:  # the kernel's buffers are full most of the time
            for connection in connections:
                assert connection.recv(1 << 16)
        assert demo.stats()["streams_open"] == 2


@each_endpoint
def test_stream_at_full_speed_yields_to_other_requests(demo: Demo, path: str) -> None:
    # A client without a parser is faster than the server, so the server never waits for a full buffer.
    with ThreadPoolExecutor(1) as pool, demo.open_stream(f"{path}?interval=0") as blast:
        reading = pool.submit(read_to_end, blast)
        try:
            answers = [demo.client.get("/healthz", timeout=5).status_code for _ in range(20)]
            assert not reading.done()
        finally:
            blast.shutdown(socket.SHUT_RDWR)
    assert answers == [200] * 20


def test_every_stream_sends_a_notice_at_shutdown() -> None:
    with running_demo("--access-log", "none") as demo, ExitStack() as stack:
        streams = {path: stack.enter_context(demo.open_stream(f"{path}?interval=3600")) for path in HTTP_ENDPOINTS}
        slowly = demo.open_stream(f"{COMPLETIONS}?ttft=3600", body=COMPLETION_REQUEST)
        streams[COMPLETIONS] = stack.enter_context(slowly)
        websocket = stack.enter_context(demo.connect("/ws?interval=3600"))
        demo.wait_for_stats(10, lambda counters: counters["events_sent"] == len(PUSH_ENDPOINTS))
        stderr = demo.end()
        endings = {path: read_to_end(connection) for path, connection in streams.items()}
        websocket.recv()
        said = websocket.recv()
        with pytest.raises(ConnectionClosedOK) as closed:
            websocket.recv()
    assert stderr == ""
    expected = {
        **dict.fromkeys([*EVENT_STREAMS, COMPLETIONS], f": {NOTICE}\n\n"),
        "/stream": f": {NOTICE}\r\n\r\n",
        "/streaming-response": f"{NOTICE}\n",
        "/ndjson": f'{{"comment": "{NOTICE}"}}\n',
    }
    for path, notice in expected.items():
        # The notice is followed by the last chunk, so the response is complete.
        assert endings[path].endswith(f"\r\n{len(notice):x}\r\n{notice}\r\n0\r\n\r\n".encode()), endings[path]
    assert b"[DONE]" not in endings[COMPLETIONS]  # a client detects the incomplete answer by its absence
    assert said == f'{{"comment":"{NOTICE}"}}'
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, NOTICE)


def test_inactive_clients_do_not_delay_the_shutdown() -> None:
    with running_demo("--access-log", "none") as demo, ExitStack() as stack:
        stack.enter_context(demo.open_stream("/ws?interval=3600"))  # does not answer the closing handshake
        for path in ("/channels/x", COMPLETIONS):  # an incomplete request
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", demo.port), timeout=30))
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9"
            connection.sendall(f"{head}\r\n\r\n{{".encode())
        demo.wait_for_stats(10, lambda counters: counters["streams_open"] == 1)
        asked_at_s = time.monotonic()
        assert demo.end() == ""
        assert time.monotonic() - asked_at_s < END_WITHIN_S


def test_disconnect_during_a_message_leaves_nothing_on_stderr() -> None:
    with running_demo("--access-log", "none") as demo:
        for path in ("/channels/x", COMPLETIONS):
            with socket.create_connection(("127.0.0.1", demo.port), timeout=30) as connection:
                head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9"
                connection.sendall(f"{head}\r\n\r\n{{".encode())
                demo.stats()  # connections are served in order of arrival
        demo.stats()
        assert demo.end() == ""


def test_websocket_without_pongs_leaves_nothing_on_stderr() -> None:
    code = "import functools, uvicorn; from demo_server.__main__ import main;"
    code += "uvicorn.Config = functools.partial(uvicorn.Config, ws_ping_interval=0.1, ws_ping_timeout=0.1); main()"
    with running_demo("--access-log", "none", code=code) as demo:
        with demo.open_stream("/ws?interval=0") as connection:
            read_to_end(connection)
        assert demo.end() == ""


@pytest.mark.parametrize("path", [*PUSH_ENDPOINTS, COMPLETIONS, "/stats"])
def test_head_opens_no_stream(demo: Demo, path: str) -> None:
    before = demo.stats()
    response = demo.client.head(path)
    assert (response.status_code, response.content) == (405, b"")
    assert demo.stats() == before


def test_http_request_to_websocket_endpoint_is_answered_426(demo: Demo) -> None:
    response = demo.client.get("/ws")
    assert response.status_code == 426
    assert response.headers["upgrade"] == "websocket"
    assert "ws://" in response.text


def test_healthz_says_ok(demo: Demo) -> None:
    assert demo.client.get("/healthz").json() == {"status": "ok"}
