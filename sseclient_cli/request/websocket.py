"""The request that opens a WebSocket: which methods, bodies and headers it can have, and the messages after it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sseclient_cli.errors import UsageError
from sseclient_cli.sse.stream_format import StreamFormat
from sseclient_cli.sse.websocket_handshake import HANDSHAKE_HEADERS, OWN_NAMES

_WEBSOCKET_URL = re.compile(r"(?:^|\bcurl\b.*[\s'\"])wss?://", re.IGNORECASE | re.DOTALL)


def is_websocket(url: str) -> bool:
    """Return whether a URL, perhaps in a pasted curl command, is that of a WebSocket."""
    return _WEBSOCKET_URL.search(url) is not None


def check_request(method: str, body: str | None, stream_format: StreamFormat | None, *, is_websocket: bool) -> None:
    """Raise UsageError for a WebSocket's request with another method or a body (RFC 6455 4.1: "MUST be GET").

    Also for a format that the URL excludes.
    """
    if not is_websocket:
        if stream_format is StreamFormat.WEBSOCKET:
            words = "the `stream_format` websocket needs a ws:// or wss:// URL"
            raise UsageError(words, arguments=["stream_format"])
        return
    if stream_format not in (None, StreamFormat.AUTO, StreamFormat.WEBSOCKET):
        raise UsageError(
            "a WebSocket has messages, which are not divided by a `stream_format`: leave it out",
            arguments=["stream_format"],
        )
    if method != "GET" or body is not None:
        argument = "method" if body is None else "body"
        raise UsageError(
            f"a GET request without a body opens a WebSocket: leave out `{argument}`, and send text with `messages`",
            arguments=[argument, "messages"],
        )


def checked_messages(messages: Sequence[str], *, is_websocket: bool) -> tuple[str, ...]:
    """Return the messages to send to a WebSocket. Raises UsageError if it is none, or for text that is not UTF-8."""
    if messages and not is_websocket:
        raise UsageError(
            "only a WebSocket (ws:// or wss://) can have `messages`: leave it out",
            arguments=["messages"],
        )
    try:
        "".join(messages).encode()
    except UnicodeError as exc:
        raise UsageError("`messages` has bytes that are not UTF-8", arguments=["messages"]) from exc
    return tuple(messages)


def handshake_headers(own: Sequence[tuple[str, str]], defaults: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of the handshake except its key: the caller's, then the missing default ones.

    The caller's headers of the handshake itself are left out: a request that was copied from a browser has them.
    """
    kept = [pair for pair in own if pair[0].lower() not in OWN_NAMES]
    given = {name.lower() for name, _ in kept}
    return [*kept, *HANDSHAKE_HEADERS, *(pair for pair in defaults if pair[0].lower() not in given)]
