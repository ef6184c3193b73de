"""``--format``: each endpoint of the demo server can be watched and measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from running_demo import Demo


def url_of(demo: Demo, path: str) -> str:
    return f"http://127.0.0.1:{demo.port}{path}"


@pytest.mark.parametrize(
    ("path", "options", "data", "note"),
    [
        (
            "/ndjson?count=3&rate=1000&retry=5", (), ['{"retry": 5}', '{"seq": 1,', '{"seq": 2,', '{"seq": 3,'],
            "format ndjson, by the content type application/x-ndjson: --format chooses another\n",
        ),
        (
            "/streaming-response?count=2&rate=1000&event=x", (), ["x 1", "x 2"],
            "format lines, by the content type text/plain: --format chooses another\n",
        ),
        ("/ndjson?count=1", ("--format", "lines"), ['{"seq": 1,'], ""),
        (
            "/stream?count=1&event=a&retry=1", ("--format", "lines"),
            ["id: 1", "event: a", "data: {", "retry: 1", ""], "",
        ),
        ("/stream?count=1", ("--format", "sse", "--no-reconnect"), ['{"seq": 1,'], ""),
    ],
)  # fmt: skip
def test_watch_shows_each_format(
    shared_demo: Demo, sse_in_process: InProcess, path: str, options: tuple[str, ...], data: list[str], note: str
) -> None:
    code, out, err = sse_in_process("watch", url_of(shared_demo, path), "--json", *options)
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert len(events) == len(data)
    for event, start in zip(events, data, strict=True):
        assert event["data"].startswith(start)
        assert (event["type"], event["id"]) == ("message", "") or "sse" in options
    assert err.startswith(note)
    assert ("format " in err) == bool(note)
    if "sse" not in options:
        assert err.endswith(f"the server ended the stream; --reconnect would send the GET again: {_events(data)}\n")


def _events(data: list[str]) -> str:
    return f"{len(data)} event{'' if len(data) == 1 else 's'}"


def test_quiet_names_no_format_and_an_event_stream_has_none_to_name(
    shared_demo: Demo, sse_in_process: InProcess
) -> None:
    code, out, err = sse_in_process("watch", url_of(shared_demo, "/ndjson?count=2&rate=1000"), "--raw", "-q")
    assert (code, [json.loads(line)["seq"] for line in out.splitlines()], err) == (0, [1, 2], "")
    code, out, err = sse_in_process("watch", url_of(shared_demo, "/stream"), "--raw", "-n", "1")
    assert (code, json.loads(out)["seq"], err) == (0, 1, "")


def test_chunks_are_watched_as_they_are_read(shared_demo: Demo, sse_in_process: InProcess) -> None:
    url = url_of(shared_demo, "/stream?count=2&rate=1000")
    code, out, _ = sse_in_process("watch", url, "--format", "chunks", "--json")
    body = "".join(json.loads(line)["data"] for line in out.splitlines())
    assert (code, body.count("data: {"), body.count("\r\n\r\n")) == (0, 2, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--format", "xml"), "sse: --format: 'xml' is not one of 'auto', 'sse', 'ndjson', 'lines', 'chunks'"),
        (("--format", "lines", "--any-content-type"), "--any-content-type and --format lines exclude each other"),
    ],
)
@pytest.mark.parametrize("command", ["watch", "bench"])
def test_wrong_formats_are_refused(
    sse_in_process: InProcess, command: str, options: tuple[str, ...], words: str
) -> None:
    code, out, err = sse_in_process(command, "http://127.0.0.1:1/", *options)
    assert (code, out) == (2, "")
    assert words in err


def test_a_page_is_refused_with_the_options_that_read_it(shared_demo: Demo, sse_in_process: InProcess) -> None:
    code, out, err = sse_in_process("watch", url_of(shared_demo, "/"))
    assert (code, out) == (3, "")
    assert err.endswith(
        "(read the response anyway with --any-content-type, or with --format lines, ndjson, chunks or json)\n"
    )


def test_ndjson_is_measured_like_an_event_stream(shared_demo: Demo, sse_in_process: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    url = url_of(shared_demo, "/ndjson?count=20&rate=100&heartbeat=0.2")
    code, out, err = sse_in_process("bench", url, "-n", "4", "-z", "30s", "--json", str(file), "--no-tui")
    report: dict[str, Any] = json.loads(file.read_text("utf-8"))
    assert code == 0, err
    assert out.splitlines()[0].startswith(f"GET {url} (ndjson)")
    assert (report["run"]["formats"], report["run"]["target"]["stream_format"]) == ({"ndjson": 4}, "auto")
    assert report["streams"]["opened"] == report["streams"]["ended_by_server"] == 4
    assert report["events"]["received"] >= 80  # heartbeats are lines too
    [audit] = report["audit"] if isinstance(report["audit"], list) else [report["audit"]]
    assert (audit["lost"], audit["duplicated"], audit["out_of_order"]) == (0, 0, 0)
    assert report["latency"]["delivery"]["count"] > 0

    code, out, err = sse_in_process("bench", "--from", str(file), "-n", "1", "--format", "lines", "--json", "-")
    assert (code, json.loads(out)["run"]["formats"]) == (0, {"lines": 1}), err
