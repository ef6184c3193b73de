"""A small MCP server over Streamable HTTP, in both versions, as strict as the official one for Python (mcp 2.3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock, Thread
from typing import Any

STATELESS, SESSIONS = "2026-07-28", "2025-06-18"
META = "io.modelcontextprotocol/"


@dataclass(frozen=True)
class Received:
    """A request that the server has received; the names of the headers are in lower case."""

    method: str
    headers: dict[str, str]
    message: dict[str, Any]


@dataclass
class McpServer:
    """The settings of the server, and the requests that it has received."""

    versions: tuple[str, ...] = (STATELESS, SESSIONS)
    has_sessions: bool = True
    answers_json: bool = False
    refuses: dict[str, int] = field(default_factory=dict)
    """The HTTP status for a JSON-RPC method, instead of its answer."""
    most_sessions: int = 10**6
    url: str = ""
    received: list[Received] = field(default_factory=list)
    open_sessions: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)
    numbers: Iterator[int] = field(default_factory=count)

    def of(self, rpc_method: str) -> list[Received]:
        """Return the messages with this JSON-RPC method."""
        return [each for each in self.received if each.message.get("method") == rpc_method]

    def http(self, method: str) -> list[Received]:
        """Return the requests with this HTTP method."""
        return [each for each in self.received if each.method == method]


@contextmanager
def mcp_server(**settings: Any) -> Iterator[McpServer]:
    """Serve MCP on a free port."""
    state = McpServer(**settings)

    class Handler(_Handler):
        server_state = state

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing about a client that has gone."""

    with Server(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/mcp"
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_state: McpServer

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_DELETE(self) -> None:
        state = self.server_state
        with state.lock:
            state.received.append(Received("DELETE", self._headers(), {}))
            known = self.headers.get("Mcp-Session-Id", "") in state.open_sessions
            state.open_sessions.discard(self.headers.get("Mcp-Session-Id", ""))
        self._respond(200 if known else 404)

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server_state.lock:
            self.server_state.received.append(Received("POST", self._headers(), message))
        refused = self.server_state.refuses.get(message["method"])
        if refused is not None:
            self._respond(refused, b"not here", "text/plain")
        elif self.headers.get("Accept") != "application/json, text/event-stream":
            self._respond(406, b"Not Acceptable", "text/plain")
        elif self.headers.get("MCP-Protocol-Version") == STATELESS and STATELESS in self.server_state.versions:
            self._answer_stateless(message)
        elif SESSIONS in self.server_state.versions:
            self._answer_in_session(message)
        else:
            self._error(400, message.get("id"), -32022, "Unsupported protocol version")

    def _answer_stateless(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        meta, method = params.get("_meta", {}), message["method"]
        if {f"{META}protocolVersion", f"{META}clientCapabilities"} - meta.keys():
            self._error(400, message["id"], -32602, "params._meta is missing")
        elif self.headers.get("Mcp-Method") != method or meta[f"{META}protocolVersion"] != STATELESS:
            self._error(400, message["id"], -32020, "mcp-method does not match")
        elif method == "tools/call" and self.headers.get("Mcp-Name") != params["name"]:
            self._error(400, message["id"], -32020, "mcp-name does not match")
        elif method == "server/discover":
            info = {f"{META}serverInfo": {"name": "small", "version": "1.0"}}
            result = {"resultType": "complete", "supportedVersions": [STATELESS], "capabilities": {}, "_meta": info}
            self._result(message["id"], result)
        else:
            self._call(message)

    def _answer_in_session(self, message: dict[str, Any]) -> None:
        state, method = self.server_state, message["method"]
        session = self.headers.get("Mcp-Session-Id")
        if method == "initialize":
            self._initialize(message)
        elif state.has_sessions and session is None:
            self._error(400, None, -32600, "Bad Request: Missing session ID")
        elif state.has_sessions and session not in state.open_sessions:
            self._error(404, None, -32600, "Session not found")
        elif self.headers.get("MCP-Protocol-Version") != SESSIONS:
            self._error(400, None, -32000, "Bad Request: Unsupported protocol version")
        elif "id" not in message:
            self._respond(202)
        else:
            self._call(message)

    def _initialize(self, message: dict[str, Any]) -> None:
        state = self.server_state
        wanted = message["params"]["protocolVersion"]
        headers: dict[str, str] = {}
        with state.lock:
            if len(state.open_sessions) >= state.most_sessions:
                self._error(400, message["id"], -32000, "too many sessions")
                return
            if state.has_sessions:
                headers["Mcp-Session-Id"] = f"secret-session-{next(state.numbers)}"
                state.open_sessions.add(headers["Mcp-Session-Id"])
        info = {"name": "small", "version": "1.0"}
        result = {"protocolVersion": wanted if wanted in state.versions else SESSIONS, "serverInfo": info}
        self._result(message["id"], {**result, "capabilities": {}}, headers)

    def _call(self, message: dict[str, Any]) -> None:
        params, request_id, method = message.get("params", {}), message["id"], message["method"]
        if method == "tools/list":
            self._result(request_id, {"tools": [{"name": "count"}]})
        elif method != "tools/call":
            self._error(404, request_id, -32601, "Method not found")
        else:
            tool = _TOOLS.get(params["name"])
            if tool is None:
                self._error(400, request_id, -32602, f"Unknown tool: {params['name']}")
            else:
                tool(self, request_id, params)

    # The tools.

    def count(self, request_id: Any, params: dict[str, Any]) -> None:
        """Send ``arguments.n`` notifications of progress, then the result."""
        token, text = params["_meta"]["progressToken"], json.dumps(params["arguments"])
        notes = [
            {"method": "notifications/progress", "params": {"progressToken": token, "progress": number + 1}}
            for number in range(params["arguments"].get("n", 0))
        ]
        result = {"content": [{"type": "text", "text": text}], "isError": False}
        self._result(request_id, result, notes=notes)

    def fail(self, request_id: Any, params: dict[str, Any]) -> None:
        """Report an error of the tool."""
        text = f"no luck\x1b[2J with {params['arguments']}"
        self._result(request_id, {"content": [{"type": "text", "text": text}], "isError": True})

    def ask(self, request_id: Any, _: dict[str, Any]) -> None:
        """Ask for input."""
        self._result(request_id, {"resultType": "input_required", "inputRequests": {}})

    def silent(self, request_id: Any, _: dict[str, Any]) -> None:
        """End the stream without the answer; a notification and an answer to another request come before."""
        self._stream([{"method": "notifications/message"}, {"id": f"not {request_id}", "result": {}}])

    def forget(self, request_id: Any, _: dict[str, Any]) -> None:
        """Answer, and end the session."""
        with self.server_state.lock:
            self.server_state.open_sessions.discard(self.headers.get("Mcp-Session-Id", ""))
        self._result(request_id, {"content": []})

    # Answers.

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _result(
        self,
        request_id: Any,
        result: dict[str, Any],
        headers: dict[str, str] | None = None,
        notes: list[dict[str, Any]] | None = None,
    ) -> None:
        answer = {"id": request_id, "result": result}
        if self.server_state.answers_json:
            body = json.dumps({"jsonrpc": "2.0", **answer}).encode()
            self._respond(200, body, "application/json", headers)
        else:
            self._stream([*(notes or []), answer], headers)

    def _stream(self, messages: list[dict[str, Any]], headers: dict[str, str] | None = None) -> None:
        self._head(200, {"Content-Type": "text/event-stream", **(headers or {})})
        for message in messages:
            data = json.dumps({"jsonrpc": "2.0", **message})
            self.wfile.write(f"event: message\r\ndata: {data}\r\n\r\n".encode())

    def _error(self, status: int, request_id: Any, code: int, text: str) -> None:
        error = {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text}}
        self._respond(status, json.dumps(error).encode(), "application/json")

    def _respond(
        self, status: int, body: bytes = b"", content_type: str = "", headers: dict[str, str] | None = None
    ) -> None:
        of_body = {"Content-Type": content_type} if content_type else {}
        self._head(status, {**of_body, "Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


_TOOLS = {
    "count": _Handler.count,
    "fail": _Handler.fail,
    "ask": _Handler.ask,
    "silent": _Handler.silent,
    "forget": _Handler.forget,
}
