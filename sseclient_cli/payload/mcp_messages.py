"""The messages of MCP in the response to one request: which of them ends it, and how.

MCP (Streamable HTTP) answers a POST with an event stream or with one JSON body. Each event, or the body, is a JSON-RPC
2.0 message. The message without ``method`` and with the ID of the request is its answer; the messages before it are
notifications, and in version 2025-06-18 also requests of the server. An event without data is no message: servers send
one to give the client an event ID.

Texts of the server are escaped and truncated.
"""

from __future__ import annotations

from typing import Any

from sseclient_cli.errors import NoResultError, RpcError, SseError, ToolError
from sseclient_cli.payload.parsed_event import ParsedEvent
from sseclient_cli.redaction import MAX_SHOWN_CHARS, shown_text

_COMPLETE = "complete"
"""The ``resultType`` of a final result, and of one without this member (version 2026-07-28)."""


class McpExchange:
    """Reads the messages of one response until the answer to the request with this ID."""

    __slots__ = ("_last_strange", "_request_id", "error", "is_answered", "messages", "notifications", "result")

    def __init__(self, request_id: int | str) -> None:
        self._request_id = request_id
        self._last_strange = ""
        self.is_answered = False
        self.error: SseError | None = None
        """Why the answer is a failure; None if it is a result."""
        self.result: dict[str, Any] = {}
        self.messages = 0
        """The messages so far, the answer included."""
        self.notifications = 0

    def read(self, parsed: ParsedEvent) -> bool:
        """Take the next event; return whether it is the answer. Nothing after the answer counts."""
        if self.is_answered or not parsed.event.data.strip():
            return False
        value = parsed.value
        if not isinstance(value, dict):
            self._last_strange = f"{_shown(parsed.event.data)} is not a JSON-RPC message"
            return False
        self.messages += 1
        if isinstance(value.get("method"), str):
            self.notifications += "id" not in value
            return False
        self.is_answered = self._is_answer(value, parsed.event.data)
        return self.is_answered

    def unanswered(self) -> NoResultError:
        """Return the error for a response that ended without the answer."""
        so_far = f"{self.messages:,} other message{'s' * (self.messages != 1)} arrived"
        return NoResultError(f"the response ended without the answer: {self._last_strange or so_far}")

    def _is_answer(self, value: dict[str, Any], data: str) -> bool:
        error, result, answered_id = value.get("error"), value.get("result"), value.get("id")
        if not isinstance(error, dict) and not isinstance(result, dict):
            self._last_strange = f"{_shown(data)} has neither method nor result nor error"
            return False
        # JSON-RPC 2.0 (5): the ID of an error is null if the server could not read that of the request.
        if not _is_same(answered_id, self._request_id) and (answered_id is not None or not isinstance(error, dict)):
            self._last_strange = f"an answer has the ID {_shown(repr(answered_id))}, not {self._request_id!r}"
            return False
        if isinstance(error, dict):
            self.error = rpc_error(error)
        elif isinstance(result, dict):
            self.result, self.error = result, _failure(result)
        return True


def rpc_error_of(value: Any) -> RpcError | None:
    """Return the error in a JSON-RPC message; None if it is none."""
    error = value.get("error") if isinstance(value, dict) else None
    return rpc_error(error) if isinstance(error, dict) and "code" in error else None


def rpc_error(error: dict[str, Any]) -> RpcError:
    """Return the error of a JSON-RPC message with this ``error``."""
    code = error.get("code")
    is_code = isinstance(code, int) and not isinstance(code, bool)
    said = _shown(error.get("message"))
    data = error.get("data")
    detail = f" ({_shown(data)})" if isinstance(data, str) and data else ""
    return RpcError(
        f"the server answered with the JSON-RPC error {code if is_code else _shown(repr(code))}: {said}{detail}",
        code if isinstance(code, int) and is_code else 0,
    )


def _failure(result: dict[str, Any]) -> SseError | None:
    """Return the error that a result reports; None if it is a final result without one."""
    if result.get("isError") is True:
        return ToolError(f"the tool reports an error: {_shown(_text_of(result)) or 'without a text'}")
    kind = result.get("resultType", _COMPLETE)
    if kind == "input_required":
        return NoResultError("the server asks for input, which a load test cannot give (resultType: input_required)")
    if kind != _COMPLETE:
        return NoResultError(f"the result is not final: its resultType is {_shown(repr(kind))}")
    return None


def _text_of(result: dict[str, Any]) -> str:
    """Return the first text in the content of a tool's result."""
    content = result.get("content")
    texts = (each.get("text") for each in content if isinstance(each, dict)) if isinstance(content, list) else ()
    return next((text for text in texts if isinstance(text, str) and text), "")


def _is_same(answered_id: object, request_id: int | str) -> bool:
    """Return whether two IDs are equal and of the same type: 1 is not "1", nor True."""
    return type(answered_id) is type(request_id) and answered_id == request_id


def _shown(text: object) -> str:
    return "no message" if text is None else shown_text(str(text)[: 4 * MAX_SHOWN_CHARS])
