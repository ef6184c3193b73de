"""The header fields of HTTP/2: a request of HTTP/1.1 as fields, and the head of a response from fields. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sseclient_cli.http2_errors import violated

# RFC 9113 8.2.2: fields of one connection are not part of HTTP/2. Host becomes :authority (8.3.1).
_LEFT_OUT = frozenset({b"connection", b"host", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})

Fields = list[tuple[bytes, bytes]]


def translated(request: bytes, scheme: bytes) -> tuple[Fields, bytes]:
    """Translate a request of HTTP/1.1 into header fields and a body (RFC 9113 8.3.1).

    A request has one form for both protocols, so that they send the same.
    """
    head, _, body = request.partition(b"\r\n\r\n")
    start, *lines = head.split(b"\r\n")
    method, path, _ = start.split(b" ")
    pairs = [(name.lower(), value) for name, _, value in (line.partition(b": ") for line in lines)]
    authority = next((value for name, value in pairs if name == b"host"), b"")
    fields = [(b":method", method), (b":scheme", scheme), (b":authority", authority), (b":path", path)]
    for name, value in pairs:
        if name not in _LEFT_OUT and (name != b"te" or value == b"trailers"):
            fields.append((name, value))
    return fields, body


def read_head(fields: Iterable[tuple[bytes, bytes]]) -> tuple[int, dict[str, str]]:
    """Return status and headers. The values of a repeated header are joined by commas (RFC 9110 5.3)."""
    status = 0
    headers: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1").strip(" \t")
        if name == ":status":
            if not (len(value) == 3 and value.isascii() and value.isdigit()):  # RFC 9110 15
                raise violated(f"the status is {value!a}")
            status = int(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return status, headers
