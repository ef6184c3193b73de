"""Judge the response head: type, caching, headers for proxies, redirects, and how soon it arrives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sseclient_cli.check.catalogue import Check, Result
from sseclient_cli.check.recording import Recording
from sseclient_cli.check.words import shown_header, time_words
from sseclient_cli.sse.response_check import stop_reason_for
from sseclient_cli.units import NS_PER_S

HELD_BACK_S = 1.0
"""A head that arrives later than this, together with the first bytes, was held back for them."""

TOGETHER_S = 0.05
"""Head and bytes this close were sent together."""

SLOW_S = 5.0
"""Proxies and clients give up on a head after 5 to 60 s."""

_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";,\s]+)', re.IGNORECASE)
_AGE = re.compile(r"(?:s-maxage|max-age)\s*=\s*\"?([0-9]+)", re.IGNORECASE)

_OTHER_HOP_BY_HOP = ("proxy-connection", "te", "upgrade")
"""RFC 9110 7.6.1: for one connection only. Connection, Keep-Alive and Transfer-Encoding are usual in HTTP/1.1."""


def judge_head(recording: Recording) -> Iterator[Result]:
    """Judge the head of the stream."""
    headers = recording.head.headers
    yield _redirects(recording.head.urls)
    yield _content_type(headers.get("content-type", ""))
    yield _caching(headers)
    yield _proxy_buffering(headers)
    yield _hop_by_hop(headers)
    yield _first_flush(recording)


def _redirects(urls: tuple[str, ...]) -> Result:
    if len(urls) < 2:
        return Check.REDIRECTS.ok("none")
    chain = " → ".join(urls)
    if urls[0].startswith("http://") and urls[-1].startswith("https://"):
        return Check.REDIRECTS.warning(f"{chain}: the first request, with its credentials, is not encrypted")
    return Check.REDIRECTS.ok(f"{len(urls) - 1}: {chain}")


def _content_type(value: str) -> Result:
    shown = shown_header("content-type", value) if value else "no Content-Type"
    if stop_reason_for(200, value) is not None:
        return Check.CONTENT_TYPE.fault(f"{shown}: browsers refuse it")
    charset = _CHARSET.search(value)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8"):
        return Check.CONTENT_TYPE.warning(f"{shown}: the charset is ignored")
    return Check.CONTENT_TYPE.ok(shown)


def _caching(headers: Mapping[str, str]) -> Result:
    value = headers.get("cache-control", "")
    shown = f"Cache-Control: {shown_header('cache-control', value)}"
    directives = {part.partition("=")[0].strip().lower() for part in value.split(",")}
    if directives & {"no-store", "no-cache"}:
        return Check.CACHING.ok(shown)
    if not value:
        return Check.CACHING.warning("no Cache-Control")
    ages = [int(age) for age in _AGE.findall(value)]
    if "public" in directives or any(ages):
        return Check.CACHING.fault(f"{shown}: caches may store the stream")
    return Check.CACHING.ok(shown) if ages else Check.CACHING.warning(shown)


def _proxy_buffering(headers: Mapping[str, str]) -> Result:
    check, value = Check.PROXY_BUFFERING, headers.get("x-accel-buffering", "")
    if value.strip().lower() == "no":
        return check.ok("no")
    if value:
        return check.fault(f"{shown_header('x-accel-buffering', value)}: nginx buffers the stream")
    if headers.get("server", "").lower().startswith(("nginx", "openresty", "tengine", "angie")):
        return check.not_checked("the response comes from nginx, which removes this header")
    return check.warning("not sent")


def _hop_by_hop(headers: Mapping[str, str]) -> Result:
    check = Check.HOP_BY_HOP
    length = headers.get("content-length")
    if length is not None:
        return check.fault(f"Content-Length: {shown_header('content-length', length)}: the stream ends there")
    others = [name for name in _OTHER_HOP_BY_HOP if name in headers]
    if others:
        return check.warning(f"{', '.join(others)}: not for a response")
    usual = [
        f"{name}: {headers[name]}" for name in ("connection", "keep-alive", "transfer-encoding") if name in headers
    ]
    return check.ok(shown_header("", ", ".join(usual)) or "none")


def _first_flush(recording: Recording) -> Result:
    check, delay_s = Check.FIRST_FLUSH, recording.head.delay_s
    head = f"head after {time_words(delay_s)}"
    if not recording.reads:
        return _by_delay(delay_s, f"{head}, then no byte for {time_words(recording.watched_s)}")
    bytes_s = (recording.reads[0].arrived_ns - recording.head.sent_ns) / NS_PER_S
    if delay_s >= HELD_BACK_S and bytes_s - delay_s <= TOGETHER_S:
        return check.warning(f"{head}, together with the first bytes: it is held back until then")
    return _by_delay(delay_s, f"{head}, first bytes after {time_words(max(bytes_s, delay_s))}")


def _by_delay(delay_s: float, seen: str) -> Result:
    return Check.FIRST_FLUSH.warning(seen) if delay_s >= SLOW_S else Check.FIRST_FLUSH.ok(seen)
