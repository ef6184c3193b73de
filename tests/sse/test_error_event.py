from __future__ import annotations

import pytest

from sseclient_cli.sse.error_event import is_error_event
from sseclient_cli.sse.event_stream import Event


@pytest.mark.parametrize(
    "event",
    [
        Event("error", "", ""),
        Event("error", "anything", ""),
        Event("message", '{"error": {"message": "busy"}}', ""),
        Event("message", '{"id": 1, "error": "busy"}', ""),
        Event("ping", '{"error":true}', ""),
    ],
)
def test_the_type_error_and_json_with_an_error_at_its_top_report_one(event: Event) -> None:
    assert is_error_event(event)


@pytest.mark.parametrize(
    "data",
    [
        '{"error": null}',
        '{"error": false}',
        '{"error": ""}',
        '{"error": {}}',
        '{"a": {"error": 1}}',
        '["error"]',
        '"error"',
        'the "error" of the day',
        '{"error": 1',
        '[' * 100_000 + '"error"',
        '{"Error": 1}',
    ],
)  # fmt: skip
def test_an_error_elsewhere_or_empty_is_none(data: str) -> None:
    assert not is_error_event(Event("message", data, ""))
