"""``/openapi.json``: every endpoint is there, with a description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from running_demo import PUSH_ENDPOINTS, Demo

LLM_ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses")
ENDPOINTS = {
    *(("get", path) for path in PUSH_ENDPOINTS),
    ("get", "/stats"),
    ("get", "/healthz"),
    *(("post", path) for path in LLM_ENDPOINTS),
    ("get", "/v1/truth/{run}"),
    ("delete", "/v1/truth/{run}"),
}


@pytest.fixture(name="operations")
def read_operations(demo: Demo) -> dict[tuple[str, str], dict[str, Any]]:
    paths = demo.client.get("/openapi.json").json()["paths"]
    return {(method, path): what for path, methods in paths.items() for method, what in methods.items()}


def test_every_endpoint_is_described(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert set(operations) >= ENDPOINTS
    for endpoint, operation in operations.items():
        assert operation["summary"], endpoint
        assert operation["description"], endpoint
        assert operation["tags"], endpoint


def test_every_parameter_is_described(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    for endpoint, operation in operations.items():
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (endpoint, parameter["name"])


def test_all_push_endpoints_have_the_same_parameters(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    names = {"interval", "rate", "count", "size", "event", "retry", "heartbeat"}
    for path in set(PUSH_ENDPOINTS) - {"/ws"}:  # OpenAPI has no WebSockets, only the 426 response
        parameters = operations["get", path]["parameters"]
        assert {parameter["name"] for parameter in parameters if parameter["in"] == "query"} == names, path


def test_all_llm_endpoints_have_the_same_parameters(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    asked = [{field["name"] for field in operations["post", path]["parameters"]} for path in LLM_ENDPOINTS]
    assert asked == asked[:1] * 4
    assert {"ttft", "reasoning", "refuse", "run"} < asked[0]


def test_every_described_path_is_served(demo: Demo, operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    for (method, path), operation in operations.items():
        if method == "get":
            with demo.client.stream("GET", re.sub(r"\{.*?\}", "default", path)) as response:
                documented = {int(status) for status in operation["responses"] if status.isdigit()}
                assert response.status_code in documented, path


def test_examples_of_chat_completions_are_accepted(
    demo: Demo, operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    operation = operations["post", "/v1/chat/completions"]
    body = operation["requestBody"]["content"]["application/json"]
    for example in body["examples"].values():
        assert demo.client.post("/v1/chat/completions?ttft=0&rate=0", json=example["value"]).status_code == 200
    shown = operation["responses"]["200"]["content"]["text/event-stream"]["example"]
    asked = {"stream": True, "messages": [{"role": "user", "content": "What is an event stream?"}], "max_tokens": 1}
    answer = demo.client.post("/v1/chat/completions?ttft=0&rate=0", json=asked).text
    assert list(comparable(answer)) == list(comparable(shown))


def comparable(stream: str) -> Iterator[str]:
    """Yield the lines without the parts that differ between responses."""
    for line in stream.splitlines():
        yield re.sub(r'"id":"[^"]*"|"created":\d+|"content":"\w+"', "", line)
