"""Arguments of an EventSource that are checked at the call: later, the error would come from somewhere deep inside."""

from __future__ import annotations

import inspect
import math

from sseclient_cli.errors import UsageError


def check_arguments(
    *,
    read_timeout_s: object,
    reconnection_time_s: object,
    max_reconnects: object,
    max_event_bytes: object,
    last_event_id: object,
    on_state: object,
    on_trace: object,
) -> None:
    """Raise UsageError for the first that makes no sense."""
    if read_timeout_s is not None and not _is_at_least(read_timeout_s, 1e-9):
        raise UsageError(f"read_timeout_s is a number of seconds above 0, or None for no limit, not {read_timeout_s!r}")
    if not _is_at_least(reconnection_time_s, 0):
        raise UsageError(f"reconnection_time_s is a number of seconds, 0 or more, not {reconnection_time_s!r}")
    if max_reconnects is not None and not _is_count(max_reconnects, 0):
        raise UsageError(f"max_reconnects is a whole number, 0 or more, or None for no limit, not {max_reconnects!r}")
    if not _is_count(max_event_bytes, 1):
        raise UsageError(f"max_event_bytes is a whole number above 0, not {max_event_bytes!r}")
    if not isinstance(last_event_id, str):
        raise UsageError(f"last_event_id is a str, not {last_event_id!r}")
    if any(character in last_event_id for character in "\r\n\0"):
        raise UsageError("last_event_id has a line end or a NUL, which no event ID can have")
    _check_handler("on_state", on_state)
    _check_handler("on_trace", on_trace)


def _check_handler(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise UsageError(f"{name} is a function, not {value!r}")
    if inspect.iscoroutinefunction(value):
        raise UsageError(f"{name} is called and not awaited: give a plain function, which may start a task")


def _is_at_least(value: object, least_s: float) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and value >= least_s


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
