"""Look at any Server-Sent Events stream, and load-test it with thousands of connections.

``__all__`` lists the public names. All but the errors are imported on first use: ``sse --help`` needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

from sseclient_cli.errors import (
    BadStatusError,
    ConnectError,
    ConnectionLostError,
    EventTooLargeError,
    InvalidResponseError,
    SseError,
    UnexpectedResponseError,
    UsageError,
    WrongContentTypeError,
)

if TYPE_CHECKING:
    from sseclient_cli.client.source import EventSource
    from sseclient_cli.client.state import ConnectionState, StateChange
    from sseclient_cli.client.sync_source import SyncEventSource
    from sseclient_cli.request.target import Target
    from sseclient_cli.sse.event_stream import Event, EventStreamParser
    from sseclient_cli.sse.stream_format import StreamFormat

__all__ = [
    "BadStatusError",
    "ConnectError",
    "ConnectionLostError",
    "ConnectionState",
    "Event",
    "EventSource",
    "EventStreamParser",
    "EventTooLargeError",
    "InvalidResponseError",
    "SseError",
    "StateChange",
    "StreamFormat",
    "SyncEventSource",
    "Target",
    "UnexpectedResponseError",
    "UsageError",
    "WrongContentTypeError",
]

_LAZY = {
    "ConnectionState": "sseclient_cli.client.state",
    "Event": "sseclient_cli.sse.event_stream",
    "EventSource": "sseclient_cli.client.source",
    "EventStreamParser": "sseclient_cli.sse.event_stream",
    "StateChange": "sseclient_cli.client.state",
    "StreamFormat": "sseclient_cli.sse.stream_format",
    "SyncEventSource": "sseclient_cli.client.sync_source",
    "Target": "sseclient_cli.request.target",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
