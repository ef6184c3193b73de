"""Shell completion of the argument URL: the endpoints of the bundled server."""

from __future__ import annotations

DEMO_ENDPOINTS = {
    "demo/stream": "sse-starlette",
    "demo/native": "fastapi.sse",
    "demo/load": "plain ASGI, for thousands of clients",
    "demo/channels/news": "a channel, to which POST publishes",
    "demo/faults": "loses, repeats and delays events on request",
    "demo/v1/chat/completions": "a chat completion; send a body with -d",
    "demo/v1/responses": "the same in the format of OpenAI's responses",
    "demo/v1/messages": "the same in the format of Anthropic's messages",
    "demo/v1/completions": "the same in the format of OpenAI's older completions",
    "demo/ndjson": "one JSON object per line",
    "demo/streaming-response": "lines of plain text",
    "demo/ws": "WebSocket messages",
}
"""The endpoints that stream, each with its description. A test compares them with the routes of the server."""


def complete_url(incomplete: str) -> list[tuple[str, str]]:
    """Return the endpoints that begin like this word, with their descriptions."""
    known = {"demo": "the bundled server", **DEMO_ENDPOINTS}
    return [(url, about) for url, about in known.items() if url.startswith(incomplete)]
