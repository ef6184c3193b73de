"""Trace a connection in lines like those of ``curl -v``, with credentials redacted.

``>`` marks sent lines, ``<`` received lines, ``*`` facts about the connection. Text from the server is escaped.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx

from sseclient_cli.escaping import visible
from sseclient_cli.redaction import redacted_header
from sseclient_cli.request.proxied import absolute_form
from sseclient_cli.request.target import Target
from sseclient_cli.tunnel import Tunnel

WriteLine = Callable[[str], None]


def trace_event(write: WriteLine, target: Target, name: str, info: dict[str, Any]) -> None:
    """Trace one of httpcore's trace events, if it is of interest."""
    if name in ("connection.connect_tcp.complete", "connection.connect_unix_socket.complete"):
        write(f"* connected to {_peer(info['return_value'].get_extra_info('server_addr'), target)}")
    elif name == "connection.start_tls.complete":
        tls = info["return_value"].get_extra_info("ssl_object")
        if tls is not None:
            write(f"* {_tls_facts(tls)}")
    elif name.endswith(".send_request_headers.started"):
        request = info["request"]
        url = httpx.URL(target.redacted_url)
        is_forwarded = target.proxy is not None and not target.is_tunnelled
        asked = (absolute_form(url) if is_forwarded else url.raw_path).decode("ascii")
        write(f"> {request.method.decode('ascii')} {asked} {'HTTP/2' if target.http2 else 'HTTP/1.1'}")
        _write_headers(write, ">", target, request.headers)
        if target.body is not None:
            write(f"* sending a body of {len(target.body):,} bytes")
    elif name == "http2.receive_response_headers.complete":
        status, headers = info["return_value"]
        write(f"< HTTP/2 {status}")
        _write_headers(write, "<", target, headers)
    elif name == "http11.receive_response_headers.complete":
        version, status, reason, headers = info["return_value"]
        write(f"< {version.decode('latin-1')} {status} {_shown(reason)}".rstrip())
        _write_headers(write, "<", target, headers)


def trace_redirect(write: WriteLine, target: Target) -> None:
    """Trace the target of a redirect."""
    write(f"* redirected to {target.method} {target.redacted_url}")


def trace_tunnel(write: WriteLine, tunnel: Tunnel) -> None:
    """Trace the CONNECT request to a proxy, and its response."""
    for prefix, head in ((">", tunnel.request), ("<", tunnel.head)):
        start, *lines = head.decode("latin-1").rstrip("\r\n").split("\n")
        write(f"{prefix} {visible(start.rstrip(), keep_lines=False)}")
        for line in lines:
            name, _, value = line.partition(":")
            write(f"{prefix} {visible(f'{name}: {redacted_header(name, value.strip())}', keep_lines=False)}")
        write(prefix)


def _write_headers(write: WriteLine, prefix: str, target: Target, headers: Iterable[tuple[bytes, bytes]]) -> None:
    pairs = tuple((_shown(name), _value(target, name, value)) for name, value in headers)
    for name, value in replace(target, headers=pairs).redacted_headers:
        write(f"{prefix} {name}: {value}")
    write(prefix)


def _value(target: Target, name: bytes, value: bytes) -> str:
    if name.lower() == b"location":  # its query may contain a token
        with suppress(httpx.InvalidURL, UnicodeError, ValueError):
            url = target.parsed_url.join(value.decode("ascii"))
            return _shown(replace(target, url=str(url)).redacted_url.encode())
    return _shown(value)


def _shown(value: bytes) -> str:
    return visible(value.decode("utf-8", "replace"), keep_lines=False)


def _peer(address: object, target: Target) -> str:
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"{f'[{host}]' if ':' in host else host}:{port}"
    return target.peer


def _tls_facts(tls: ssl.SSLObject) -> str:
    cipher = tls.cipher()
    alpn = tls.selected_alpn_protocol() or "none"
    return f"{tls.version()}, cipher {cipher[0] if cipher else 'unknown'}, ALPN {alpn}"
