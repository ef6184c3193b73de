"""A server that closes without a close_notify alert: the framing of HTTP decides whether the body is complete."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import contextmanager

from certificates import Authority
from scripted_server import CHUNKED, LAST_CHUNK, chunk, head

from sseclient_cli.client.source import EventSource
from sseclient_cli.request.target import Target

RESPONSE = head(headers=CHUNKED) + chunk(b"data: x\n\n") + LAST_CHUNK


@contextmanager
def rude_server(context: ssl.SSLContext) -> Iterator[str]:
    """Answer one connection, and close its socket without a close_notify alert, which SSLSocket.close does not send."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            secured = context.wrap_socket(connection, server_side=True)
            secured.recv(65536)
            secured.sendall(RESPONSE)
            secured.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(10)


async def test_the_end_of_a_chunked_body_is_a_proper_end_for_one_stream(authority: Authority) -> None:
    with rude_server(authority.server()) as url:
        async with EventSource(Target.parse(url, insecure=True), reconnect=False) as source:
            assert [event.data async for event in source] == ["x"]


async def test_the_end_of_a_chunked_body_is_a_proper_end_in_a_run(authority: Authority) -> None:
    with rude_server(authority.server()) as url:
        arguments = ["bench", url, "-k", "-n", "1", "--no-preflight", "--json", "-"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sseclient_cli", *arguments, stdout=PIPE, stderr=PIPE
        )
        out, err = await process.communicate()
    assert process.returncode == 0, err
    document = json.loads(out)
    assert (document["streams"]["opened"], document["events"]["received"], document["errors"]) == (1, 1, [])
