"""Build the request of a command from its options, or from a pasted curl command."""

from __future__ import annotations

import inspect
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from sseclient_cli.cli.options.grouped import given
from sseclient_cli.errors import UsageError
from sseclient_cli.request.body import read_body
from sseclient_cli.request.curl_command import CurlCommand, Data, is_curl_command, parse_curl_command

if TYPE_CHECKING:
    from sseclient_cli.cli.options.connection import ConnectionOptions
    from sseclient_cli.cli.options.request import RequestOptions
    from sseclient_cli.request.target import Target
    from sseclient_cli.sse.stream_format import StreamFormat


def requested(
    url: str,
    request: RequestOptions,
    connection: ConnectionOptions,
    *,
    all_addresses: bool = False,
    on_this_machine: bool = True,
) -> Target:
    """Return the target of a command; an option overrides its part of a pasted curl command. Raises UsageError.

    An option, or a part of a curl command, with the name of an argument of ``Target.parse`` sets it.
    """
    from sseclient_cli.request.target import Target

    curl = parse_curl_command(url) if is_curl_command(url) else CurlCommand(url)
    names = {*inspect.signature(Target.parse).parameters, *(each.name for each in fields(Target))}
    target = Target.parse(
        **{
            **given(names, curl),
            **given(names, request, connection),
            "all_addresses": all_addresses,
            "on_this_machine": on_this_machine,
            "stream_format": _format(request),
            "body": read_body(request.data) if request.data is not None else _curl_body(curl.data),
            **_headers(request, curl),
        }
    )
    if target.tls.ca_file is not None or target.tls.cert_file is not None:
        # Also for an http:// URL, which may redirect to https://: a wrong path is reported before any request.
        target.tls.context()
    if request.data is None and curl.data and not any(name.lower() == "content-type" for name, _ in target.headers):
        # curl sends this type with every body. A JSON body has application/json here: it is never meant as a form.
        target = replace(target, headers=(*target.headers, ("Content-Type", "application/x-www-form-urlencoded")))
    return target


def _format(request: RequestOptions) -> StreamFormat | None:
    from sseclient_cli.cli.options.request import StreamRequestOptions
    from sseclient_cli.sse.stream_format import StreamFormat

    if not isinstance(request, StreamRequestOptions):
        return None
    return request.stream_format or StreamFormat.AUTO


def started_after(target: Target, last_event_id: str) -> Target:
    """Return the target with this Last-Event-ID; unchanged if it is empty. Raises UsageError."""
    from sseclient_cli.request.headers import checked_value

    if not last_event_id:
        return target
    value = checked_value(last_event_id, "`last_event_id`", "last_event_id")
    others = (pair for pair in target.headers if pair[0].lower() != "last-event-id")
    return replace(target, headers=(*others, ("Last-Event-ID", value)))


def _headers(request: RequestOptions, curl: CurlCommand) -> dict[str, Any]:
    """Return the headers and the bearer token, by the names of the arguments of ``Target.parse``."""
    own = headers_of(request.headers, compressed=request.compressed)
    user = request.user
    bearer = request.bearer if request.bearer_env is None else _bearer_from(request.bearer_env, request.bearer)
    names = {line.partition(":")[0].lower() for line in own}
    lines = [line for line in curl.headers if line.partition(":")[0].lower() not in names] + own
    if user is not None or bearer is not None:  # options override the pasted command
        lines = [line for line in lines if line in own or not line.lower().startswith("authorization:")]
    elif "authorization" not in names:
        user, bearer = curl.user, curl.bearer
    cookies = _cookie(lines, [*curl.cookies, *(request.cookie or ())])
    return {"headers": [*lines, *_credentials(lines, bearer, user), *cookies], "bearer": bearer}


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
