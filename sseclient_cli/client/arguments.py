"""Check the arguments of an EventSource at the call, before they cause an error elsewhere."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection

from sseclient_cli.errors import UsageError


def check_stream(*, read_timeout_s: object, max_event_bytes: object, last_event_id: object) -> None:
    """Raise UsageError for the first invalid argument that concerns the stream."""
    if read_timeout_s is not None and not _is_at_least(read_timeout_s, 1e-9):
        raise UsageError(
            f"read_timeout_s must be a number of seconds above 0, or None for no limit, not {read_timeout_s!r}"
        )
    if not _is_count(max_event_bytes, 1):
        raise UsageError(f"max_event_bytes must be a whole number above 0, not {max_event_bytes!r}")
    if not isinstance(last_event_id, str):
        raise UsageError(f"last_event_id must be a str, not {last_event_id!r}")
    if any(character in last_event_id for character in "\r\n\0"):
        raise UsageError("last_event_id must not contain a line end or a NUL: no event ID can")


def check_retries(
    *,
    reconnect: object,
    max_reconnects: object,
    retry_statuses: object,
    reconnection_time_s: object,
    max_backoff_s: object,
) -> None:
    """Raise UsageError for the first invalid argument that concerns reconnection."""
    for name, value in (("reconnection_time_s", reconnection_time_s), ("max_backoff_s", max_backoff_s)):
        if not _is_at_least(value, 0):
            raise UsageError(f"{name} must be a number of seconds, 0 or more, not {value!r}")
    if reconnect is not None and not isinstance(reconnect, bool):
        raise UsageError(f"reconnect must be True, False, or None for GET and HEAD only, not {reconnect!r}")
    if not isinstance(retry_statuses, Collection) or not all(isinstance(status, int) for status in retry_statuses):
        raise UsageError(f"retry_statuses must be a collection of numbers like {{503}}, not {retry_statuses!r}")
    if max_reconnects is not None and not _is_count(max_reconnects, 0):
        raise UsageError(
            f"max_reconnects must be a whole number, 0 or more, or None for no limit, not {max_reconnects!r}"
        )


def check_handlers(*, on_comment: object, on_state: object, on_trace: object) -> None:
    """Raise UsageError for the first invalid handler. Only ``on_comment`` may be a coroutine function."""
    if on_comment is not None and not callable(on_comment):
        raise UsageError(f"on_comment must be a function, not {on_comment!r}")
    for name, value in (("on_state", on_state), ("on_trace", on_trace)):
        if value is not None and not callable(value):
            raise UsageError(f"{name} must be a function, not {value!r}")
        # For a callable object, the function to check is the __call__ of its class.
        if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(getattr(type(value), "__call__", None)):  # noqa: B004
            raise UsageError(f"{name} is never awaited: it must be a plain function, which may start a task")


def _is_at_least(value: object, least_s: float) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and value >= least_s


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
