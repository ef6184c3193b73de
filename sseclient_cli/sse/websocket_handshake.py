"""The opening handshake of a WebSocket (RFC 6455 4.1): the headers of the request, and the check of the response.

A response with another status than 101 is refused like that of any other stream (``response_check.py``). No extension
is offered, permessage-deflate included (docs/decisions/0049-websocket.md).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha1
from secrets import token_bytes

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.escaping import visible

SWITCHING_PROTOCOLS = 101

HANDSHAKE_HEADERS = (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))
"""The headers of each request, besides the key."""

KEY_HEADER = "Sec-WebSocket-Key"

OWN_NAMES = frozenset(
    {"connection", "upgrade", "sec-websocket-version", "sec-websocket-key", "sec-websocket-extensions"}
)
"""The client sets these headers itself. A request that was copied from a browser has others of the same name."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

MAX_SHOWN_CHARS = 100


def new_key() -> str:
    """Return a random key, for one connection."""
    return b64encode(token_bytes(16)).decode()


def accept_value(key: str) -> str:
    """Return the value of Sec-WebSocket-Accept that proves that the server has read the key."""
    return b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def check_handshake(headers: Mapping[str, str], key: str, offered_protocols: str = "") -> None:
    """Raise InvalidResponseError if a response with status 101 does not open a WebSocket.

    Names of ``headers`` are lower case. ``offered_protocols`` is the Sec-WebSocket-Protocol of the request.
    """
    valid: dict[str, Callable[[str], bool]] = {
        "Upgrade": lambda value: value.lower() == "websocket",
        "Connection": lambda value: "upgrade" in _values(value.lower()),
        "Sec-WebSocket-Accept": lambda value: value == accept_value(key),
        "Sec-WebSocket-Extensions": lambda value: not value,
        "Sec-WebSocket-Protocol": lambda value: not value or value in _values(offered_protocols),
    }
    for name, is_valid in valid.items():
        value = headers.get(name.lower(), "").strip(" \t")
        if not is_valid(value):
            raise InvalidResponseError(f"the server answered 101 with {_found(name, value)}: it opens no WebSocket")


def _found(name: str, value: str) -> str:
    if not value:
        return f"no {name}"
    return f"the wrong {name} {visible(value[:MAX_SHOWN_CHARS], keep_lines=False)!r}"


def _values(header: str) -> list[str]:
    return [value.strip(" \t") for value in header.split(",")]
