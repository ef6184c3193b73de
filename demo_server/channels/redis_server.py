"""The Redis (or Valkey) server: its URL without secrets, the check at the start, and the reasons of failures.

redis-py is an optional dependency. Only this module and redis_fan_out.py import it, and only with a URL.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from demo_server.options import RedisUnusableError

DEFAULT_PORT = 6379
ANSWER_WITHIN_S = 2.0
EVENTS_KEY = "{sse-demo}:events"
NUMBERS_KEY = "{sse-demo}:numbers"  # the braces put both keys in one slot of a cluster


def check_redis(url: str) -> None:
    """Connect once; raise RedisUnusableError with a reason that holds no secret of the URL."""
    address = redis_address(url)
    try:
        import redis
    except ImportError:
        raise RedisUnusableError("redis-py is not installed: pip install 'sseclient-cli[redis]'") from None
    try:
        with redis.Redis.from_url(
            url, protocol=2, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S, retry=None
        ) as server:
            server.xlen(EVENTS_KEY)  # needs the password, the database and Redis 5
    except (redis.RedisError, OSError) as exc:
        raise RedisUnusableError(f"cannot use Redis at {address}: {failure_reason(exc)}") from None
    except (TypeError, ValueError) as exc:  # an unknown or invalid parameter in the query
        raise invalid_url() from exc


def redis_address(url: str) -> str:
    """Return host and port, or the path of the socket: what may be logged of a URL."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "unix" and parts.path:
            return parts.path
        port = parts.port or DEFAULT_PORT
    except ValueError:  # not passed on: its text has a part of the URL, which may belong to the password
        raise invalid_url() from None
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or has_stray_secret(parts):
        raise invalid_url()
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}"


def has_stray_secret(parts: SplitResult) -> bool:
    """Say whether an unescaped /, ? or # in the password has cut the URL in the wrong place."""
    return re.fullmatch(r"(/\d*)?", parts.path) is None or "@" in parts.query or bool(parts.fragment)


def invalid_url() -> RedisUnusableError:
    """Return the error of a URL, without the URL."""
    forms = "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], rediss://... or unix:///PATH"
    return RedisUnusableError(f"not a URL of Redis: use {forms}; write / ? # @ in a password as %2F %3F %23 %40")


def failure_reason(exc: BaseException) -> str:
    """Return the reason of an exception of redis-py, in a few words."""
    cause = exc.__cause__ or exc.__context__
    error = cause if isinstance(cause, OSError) and cause.strerror else exc
    text = str((isinstance(error, OSError) and error.strerror) or error).rstrip(".") or type(error).__name__
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
