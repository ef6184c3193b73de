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
def test_the_type_error_and_a_top_level_error_in_json_report_an_error(event: Event) -> None:
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
def test_a_nested_or_empty_error_is_not_reported(data: str) -> None:
    assert not is_error_event(Event("message", data, ""))
