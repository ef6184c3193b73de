"""An event stream behind HTTP Digest authentication (RFC 7616): each connection costs a 401 first.

``/`` goes on without end and ``/finite`` ends; both begin behind the Last-Event-ID.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]

USER, PASSWORD, REALM, NONCE = "user", "secret", "events", "0123456789abcdef"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 401 without the right digest; ``/open`` needs none."""
    if scope["type"] != "http":
        return
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    if scope["path"] != "/open" and not _is_right(scope["method"], headers.get("authorization", "")):
        challenge = f'Digest realm="{REALM}", nonce="{NONCE}", algorithm=SHA-256, qop="auth"'.encode()
        await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", challenge)]})
        await send({"type": "http.response.body", "body": b"who are you?"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    first = int(headers.get("last-event-id", "0")) + 1
    for number in range(first, first + 3):
        piece = b"id: %d\ndata: %d\n\n" % (number, number)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if scope["path"] == "/":
        while (await receive())["type"] != "http.disconnect":
            pass
    await send({"type": "http.response.body", "body": b""})


def _is_right(method: str, authorization: str) -> bool:
    parts: dict[str, str] = dict(re.findall(r'(\w+)="?([^",]*)', authorization))
    if not authorization.startswith("Digest "):
        return False
    secret = _sha256(f"{USER}:{REALM}:{PASSWORD}")
    asked = _sha256(f"{method}:{parts['uri']}")
    return parts["response"] == _sha256(f"{secret}:{NONCE}:{parts['nc']}:{parts['cnonce']}:auth:{asked}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
