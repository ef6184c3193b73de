from __future__ import annotations

import pytest

from sseclient_cli.errors import InvalidResponseError
from sseclient_cli.sse.websocket_handshake import accept_value, check_handshake, new_key

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3
VALID = {
    "upgrade": "WebSocket",
    "connection": "keep-alive, Upgrade",
    "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
}


def test_the_accept_value_is_that_of_the_rfc() -> None:
    assert accept_value(KEY) == VALID["sec-websocket-accept"]


def test_each_key_is_new() -> None:
    assert len({new_key() for _ in range(100)}) == 100


def test_a_valid_handshake_passes_with_one_of_the_offered_protocols() -> None:
    check_handshake(VALID, KEY)
    check_handshake({**VALID, "sec-websocket-protocol": "b"}, KEY, "a, b")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"upgrade": ""}, "no Upgrade"),
        ({"upgrade": "h2c"}, "the wrong Upgrade 'h2c'"),
        ({"connection": "close"}, "the wrong Connection 'close'"),
        ({"sec-websocket-accept": ""}, "no Sec-WebSocket-Accept"),
        ({"sec-websocket-accept": "x\x1b[31m"}, "the wrong Sec-WebSocket-Accept"),
        ({"sec-websocket-extensions": "permessage-deflate"}, "the wrong Sec-WebSocket-Extensions"),
        ({"sec-websocket-protocol": "c"}, "the wrong Sec-WebSocket-Protocol 'c'"),
    ],
)
def test_a_wrong_header_is_named(headers: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidResponseError) as raised:
        check_handshake({**VALID, **headers}, KEY, "a, b")
    assert words in str(raised.value)
    assert "\x1b" not in str(raised.value)
