"""The request of an EventSource: check the arguments and build a ``Target``."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.request.headers import TOKEN
from sseclient_cli.request.proxied import through_proxy
from sseclient_cli.request.target import Target

HeaderName: TypeAlias = str | bytes
HeaderValue: TypeAlias = str | bytes | None
Headers: TypeAlias = Mapping[str, HeaderValue] | Mapping[bytes, HeaderValue] | Iterable[tuple[HeaderName, HeaderValue]]
"""A header with the value None is not sent; bytes are UTF-8."""
HeadersFactory: TypeAlias = Callable[[], Headers | Awaitable[Headers]]
"""Called before each connection, for example to get a new token."""
Params: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]] | str


class Request:
    """The request of one EventSource. Raises UsageError for invalid arguments, before any connection."""

    def __init__(
        self,
        url: str | Target,
        *,
        method: str | None,
        headers: Headers | HeadersFactory | None,
        body: bytes | str | None,
        json: object,
        params: Params | None,
        http2: bool = False,
    ) -> None:
        self._factory = headers if callable(headers) else None
        self._method = method
        self._is_json = json is not None
        self._http2 = http2
        self._url = url
        self._body: bytes | None = None
        if isinstance(url, Target):
            if http2 or any(argument is not None for argument in (method, headers, body, json, params)):
                raise UsageError(
                    "method, headers, body, json, params and http2 cannot be used with a Target: set them there"
                )
            self.target = url
            return
        if body is not None and json is not None:
            raise UsageError("body and json cannot be used together: leave one out")
        if not isinstance(url, str):
            raise UsageError(f"url must be a str or a Target, not {type(url).__name__}")
        if method is not None and not isinstance(method, str):
            raise UsageError(f"method must be a str, not {type(method).__name__}")
        self._url = url if params is None else with_params(url, params)
        self._body = _body_of(body, json)
        self.target = self._target_with({} if headers is None or callable(headers) else headers)

    def choose_proxy(self, proxy: str | None, *, trust_env: bool) -> None:
        """Use this proxy; for None, that of the target, or else that of the environment. Raises UsageError."""
        self.target = through_proxy(self.target, proxy, trust_env=trust_env)

    async def fresh(self) -> Target:
        """Return the target of the next connection, with new headers if the caller gave a function.

        Exceptions of the function propagate. Raises UsageError for an invalid result of it.
        """
        if self._factory is not None:
            headers = self._factory()
            fresh = self._target_with(await headers if inspect.isawaitable(headers) else headers)
            self.target = replace(fresh, proxies=self.target.proxies)
        return self.target

    def _target_with(self, headers: Headers) -> Target:
        assert isinstance(self._url, str)
        lines = _lines_of(headers)
        if self._is_json and not any(line.lower().startswith("content-type:") for line in lines):
            lines.append("Content-Type: application/json")
        method = self._method or ("GET" if self._body is None else "POST")
        return replace(Target.parse(self._url, method=method, headers=lines, http2=self._http2), body=self._body)


def _body_of(body: bytes | str | None, json_value: object) -> bytes | None:
    if json_value is not None:
        try:
            return json.dumps(json_value, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as exc:
            raise UsageError(f"json cannot be encoded as JSON: {exc}") from exc
    if body is not None and not isinstance(body, str | bytes):
        raise UsageError(f"body must be bytes or a str, not {type(body).__name__}: use json for other objects")
    return body.encode() if isinstance(body, str) else body


def with_params(url: str, params: Params) -> str:
    """Add parameters to the query of a URL, without changing the existing query."""
    try:
        query = str(httpx.QueryParams(params if isinstance(params, str | Mapping) else list(params)))
    except (TypeError, ValueError, AttributeError) as exc:
        raise UsageError(f"params must be a mapping, or pairs of names and values: {exc}") from exc
    base, hash_sign, fragment = url.partition("#")
    if not query:
        return url
    return f"{base}{'&' if '?' in base else '?'}{query}{hash_sign}{fragment}"


def _lines_of(headers: Headers) -> list[str]:
    try:
        pairs: list[tuple[Any, Any]] = list(headers.items() if isinstance(headers, Mapping) else headers)
        return [f"{_name(name)}: {_text(value, str(name))}" for name, value in pairs if value is not None]
    except (TypeError, ValueError) as exc:
        raise UsageError("headers must be a mapping, or pairs of names and values") from exc


def _name(name: object) -> str:
    text = _text(name, "a name in headers")
    if not TOKEN.fullmatch(text):
        raise UsageError(f"headers: {text[:100]!a} is not a valid header name")
    return text


def _text(value: object, what: str) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as exc:
            raise UsageError(f"headers: {what[:100]!a} has bytes that are not UTF-8") from exc
    if not isinstance(value, str):
        raise UsageError(f"headers: {what[:100]!a} must be a str or bytes, not {type(value).__name__}")
    return value
