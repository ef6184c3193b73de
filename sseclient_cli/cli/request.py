"""Build the request of a command from its options, or from a pasted curl command."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, Unpack

from sseclient_cli.errors import UsageError
from sseclient_cli.request.body import read_body
from sseclient_cli.request.curl_command import CurlCommand, Data, is_curl_command, parse_curl_command

if TYPE_CHECKING:
    from sseclient_cli.cli.options.connection import ConnectionOptions
    from sseclient_cli.cli.options.request import RequestOptions
    from sseclient_cli.request.target import Target


class Connecting(TypedDict, total=False):
    """The arguments of ``Target.parse`` about the connection."""

    connect_to: str | None
    source_address: str | None
    all_addresses: bool
    timeout_s: float | None
    any_content_type: bool


def requested(
    url: str, request: RequestOptions, connection: ConnectionOptions, *, all_addresses: bool = False
) -> Target:
    """Return the target of a command. Raises UsageError."""
    return parse_request(
        url,
        method=request.method,
        headers=headers_of(request.headers, compressed=request.compressed),
        data=request.data,
        bearer=request.bearer,
        bearer_env=request.bearer_env,
        user=request.user,
        cookies=request.cookie,
        any_content_type=request.any_content_type,
        insecure=connection.insecure,
        ca_file=connection.ca_file,
        cert_file=connection.cert_file,
        key_file=connection.key_file,
        unix_socket=connection.unix_socket,
        connect_to=connection.connect_to,
        source_address=connection.source_address,
        all_addresses=all_addresses,
        timeout_s=connection.timeout_s,
    )


def parse_request(
    url: str,
    *,
    method: str | None = None,
    headers: Sequence[str] | None = None,
    data: str | None = None,
    bearer: str | None = None,
    bearer_env: str | None = None,
    user: str | None = None,
    cookies: Sequence[str] | None = None,
    insecure: bool = False,
    ca_file: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
    unix_socket: str | None = None,
    **connecting: Unpack[Connecting],
) -> Target:
    """Return the target; an option overrides its part of a pasted curl command. Raises UsageError."""
    from sseclient_cli.request.target import Target

    curl = parse_curl_command(url) if is_curl_command(url) else CurlCommand(url)
    if bearer_env is not None:
        bearer = _bearer_from(bearer_env, bearer)
    names = {line.partition(":")[0].lower() for line in headers or ()}
    lines = [line for line in curl.headers if line.partition(":")[0].lower() not in names]
    body = read_body(data) if data is not None else _curl_body(curl.data)
    lines += headers or ()
    if user is not None or bearer is not None:  # options override the pasted command
        lines = [line for line in lines if line in (headers or ()) or not line.lower().startswith("authorization:")]
    elif "authorization" not in names:
        user, bearer = curl.user, curl.bearer
    target = Target.parse(
        curl.url,
        method=method or curl.method,
        headers=[*lines, *_credentials(lines, bearer, user), *_cookie(lines, [*curl.cookies, *(cookies or ())])],
        body=body,
        bearer=bearer,
        insecure=insecure or curl.insecure,
        ca_file=ca_file or curl.ca_file,
        cert_file=cert_file or curl.cert_file,
        key_file=key_file or curl.key_file,
        unix_socket=unix_socket or curl.unix_socket,
        **connecting,
    )
    if target.tls.ca_file is not None or target.tls.cert_file is not None:
        # Also for an http:// URL, which may redirect to https://: a wrong path is reported before any request.
        target.tls.context()
    if data is None and curl.data and not any(name.lower() == "content-type" for name, _ in target.headers):
        # curl sends this type with every body. A JSON body has application/json here: it is never meant as a form.
        target = replace(target, headers=(*target.headers, ("Content-Type", "application/x-www-form-urlencoded")))
    return target


def _bearer_from(name: str, bearer: str | None) -> str:
    if bearer is not None:
        raise UsageError("--bearer and --bearer-env exclude each other: leave one out")
    token = os.environ.get(name, "").strip()
    if any(character < " " for character in token):
        raise UsageError(f"--bearer-env {name}: the value has a line end or a control character")
    if not token:
        raise UsageError(f"--bearer-env {name}: the variable is not set or empty; set it with export {name}=TOKEN")
    return token


def _credentials(lines: Sequence[str], bearer: str | None, user: str | None) -> list[str]:
    """Return the header of HTTP Basic authentication (RFC 7617)."""
    if user is None:
        return []
    if ":" not in user:
        raise UsageError("--user has no password: write --user USER:PASS")
    if bearer is not None or any(line.lower().startswith("authorization:") for line in lines):
        raise UsageError("--user and another Authorization (--bearer or a header) exclude each other: leave one out")
    return [f"Authorization: Basic {b64encode(user.encode('utf-8', 'surrogateescape')).decode()}"]


def _cookie(lines: Sequence[str], cookies: Sequence[str]) -> list[str]:
    if not cookies:
        return []
    if any("=" not in cookie for cookie in cookies):
        # The message omits the text, which may be the value alone, a secret.
        raise UsageError(
            "--cookie has no name: write --cookie 'name=value; other=value'; cookie files are not supported"
        )
    if any(line.lower().startswith("cookie:") for line in lines):
        raise UsageError("--cookie and a Cookie header exclude each other: leave one out")
    return [f"Cookie: {'; '.join(cookie.strip('; ') for cookie in cookies)}"]


def _curl_body(data: Sequence[Data]) -> str | None:
    """Return the body that curl's data options make together."""
    if not data:
        return None
    return "&".join(_curl_text(part) for part in data)


def _curl_text(part: Data) -> str:
    if not part.is_file:
        return part.text
    text = read_body(f"@{part.text}")
    return text.translate({ord("\r"): None, ord("\n"): None, 0: None}) if part.without_line_ends else text


def headers_of(header: list[str] | None, *, compressed: bool) -> list[str]:
    """Return the headers of the options. An Accept-Encoding header overrides --compressed."""
    headers = list(header or ())
    if compressed and not any(line.partition(":")[0].lower() == "accept-encoding" for line in headers):
        from sseclient_cli.sse.content_coding import readable_codings

        headers.append(f"Accept-Encoding: {', '.join(readable_codings())}")
    return headers
