"""`sse bench` with values and URLs per stream: what the server receives, and what the report shows."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from real_processes import SSE
from scripted_server import Do, Script, ScriptedServer, head

STREAM: Script = [head(), b"id: 1\ndata: x\n\n", Do.HOLD]
REFUSED: Script = [head(500, b"Content-Length: 0\r\n")]
# In one write: bench shows only the part of a body that arrives together with the head.
QUOTING: Script = [head(401, b"Content-Type: text/plain\r\nContent-Length: 22\r\n") + b"bad token hush-token-1"]


async def _bench(report: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    def run() -> tuple[int, dict[str, Any], str]:
        command = [*SSE, "bench", *arguments, "--json", str(report)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        text = done.stdout + done.stderr
        assert report.exists(), text
        return done.returncode, json.loads(report.read_text()), text

    return await asyncio.to_thread(run)


async def test_each_stream_sends_its_row_with_several_workers_and_the_report_has_no_value(tmp_path: Path) -> None:
    values = tmp_path / "users.csv"
    values.write_text("user,token\n" + "".join(f"u/{row},hush{row}\n" for row in range(5)))
    async with ScriptedServer(*[STREAM] * 7) as server:
        code, document, text = await _bench(
            tmp_path / "run.json",
            *(server.url + "/{user}?n={n}", "--values", str(values), "-H", "Authorization: Bearer {token}"),
            *("-d", '{"id": "{uuid}"}', "-n", "6", "-z", "1s", "--workers", "2"),
        )
        sent = server.requests
    assert code == 0, text
    first, *streams = sent
    assert (first.path, first.header("authorization")) == ("/u%2F0?n=0", b"Bearer hush0")  # the preflight
    assert sorted((each.path, each.header("authorization")) for each in streams) == [
        *((f"/u%2F{row}?n={row}", f"Bearer hush{row}".encode()) for row in range(1)),
        ("/u%2F0?n=5", b"Bearer hush0"),
        *((f"/u%2F{row}?n={row}", f"Bearer hush{row}".encode()) for row in range(1, 5)),
    ]
    assert len({json.loads(each.body)["id"] for each in sent}) == 7
    target = document["run"]["target"]
    assert (target["url"], target["values_file"]) == (server.url + "/{user}?n={n}", str(values))
    assert "hush" not in json.dumps(document) + text


async def test_each_stream_starts_after_its_own_event_id(tmp_path: Path) -> None:
    async with ScriptedServer(*[STREAM] * 2) as server:
        arguments = (server.url, "--last-event-id", "7-{n}", "-H", "Last-Event-ID: 1", "-n", "2", "-z", "1s")
        code, document, _ = await _bench(tmp_path / "run.json", *arguments, "--no-preflight")
        sent = {each.header("last-event-id") for each in server.requests}
    assert (code, sent) == (0, {b"7-0", b"7-1"})
    assert document["run"]["target"]["requests_differ"]


async def test_a_value_that_the_server_quotes_is_in_no_output(tmp_path: Path) -> None:
    values = tmp_path / "users.csv"
    values.write_text("token\nhush-token-1\n")
    async with ScriptedServer(QUOTING) as server:
        arguments = (server.url, "--values", str(values), "-H", "Authorization: Bearer {token}", "-n", "1", "-z", "1s")
        code, document, text = await _bench(tmp_path / "run.json", *arguments, "--no-preflight")
    assert code == 3
    assert "bad token REDACTED" in " ".join(text.split())
    assert "hush" not in json.dumps(document) + text


async def test_a_reconnection_keeps_the_values_of_its_stream(tmp_path: Path) -> None:
    ended: Script = [head(), b"retry: 50\nid: 9\ndata: x\n\n"]
    async with ScriptedServer(ended, STREAM) as server:
        arguments = (server.url + "/{uuid}", "-n", "1", "-z", "2s", "--on-end", "reconnect", "--no-preflight")
        code, document, _ = await _bench(tmp_path / "run.json", *arguments)
        first, second = server.requests
    assert (code, document["streams"]["reconnected"]) == (0, 1)
    assert first.path == second.path
    assert second.header("last-event-id") == b"9"


async def test_urls_of_two_servers_have_their_share_and_their_failures(tmp_path: Path) -> None:
    async with ScriptedServer(*[STREAM] * 4) as one, ScriptedServer(*[REFUSED] * 2) as other:
        urls = tmp_path / "urls.txt"
        urls.write_text(f"2 {one.url}/a/{{n}}\n1 {other.url}\n")
        arguments = ("--urls", str(urls), "-n", "6", "-z", "1s", "--no-preflight")
        code, document, text = await _bench(tmp_path / "run.json", *arguments)
        assert sorted(each.path for each in one.requests) == ["/a/0", "/a/2", "/a/3", "/a/5"]
    assert code == 0
    assert document["run"]["urls"] == [
        {"url": f"{one.url}/a/{{n}}", "weight": 2, "opened": 4, "failed": 0},
        {"url": other.url, "weight": 1, "opened": 0, "failed": 2},
    ]
    assert f"{other.url} 0 opened 2 failed" in " ".join(text.split())
    assert "and 1 more" in text
    merged = tmp_path / "merged.json"
    run = str(tmp_path / "run.json")
    command = [*SSE, "report", run, run, "--force", "--json", str(merged)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=60)
    assert [(each["opened"], each["failed"]) for each in json.loads(merged.read_text())["run"]["urls"]] == [
        (8, 0),
        (0, 4),
    ]


async def test_a_report_repeats_the_run_with_its_files(tmp_path: Path) -> None:
    values = tmp_path / "rooms.jsonl"
    values.write_text('{"room": "a"}\n{"room": "b"}\n')
    run = tmp_path / "run.json"
    async with ScriptedServer(*[STREAM] * 4) as server:
        await _bench(run, server.url + "/{room}", "--values", str(values), "-n", "2", "-z", "1s", "--no-preflight")
        code, document, text = await _bench(tmp_path / "again.json", "--from", str(run))
        paths = [each.path for each in server.requests]
    assert code == 0, text
    assert sorted(paths) == ["/a", "/a", "/b", "/b"]
    assert document["run"]["target"] == json.loads(run.read_text())["run"]["target"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("http://127.0.0.1:1/{user}",), "{user} in the URL has no value"),
        (("http://{host}/", "--values", "FILE"), "a placeholder cannot be in the host"),
        (("http://127.0.0.1:1/", "--values", "FILE"), "nothing uses the values of FILE"),
        (("http://127.0.0.1:1/{usr}", "--values", "FILE"), "did you mean {user}?"),
        (("http://127.0.0.1:1/{user}", "--values", "none.csv"), "cannot read none.csv"),
        (("http://127.0.0.1:1/", "--urls", "FILE"), "--urls and a URL exclude each other"),
        (("http://127.0.0.1:1/{n}", "--user", "{n}:x"), "--user takes no placeholder"),
    ],
)
def test_wrong_values_are_a_usage_error_before_any_request(
    sse_in_process: InProcess, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    values = str(tmp_path / "values.csv")
    Path(values).write_text("user\nada\n")
    code, _, err = sse_in_process("bench", *(values if each == "FILE" else each for each in arguments))
    assert code == 2
    assert message.replace("FILE", values) in " ".join(err.split())
