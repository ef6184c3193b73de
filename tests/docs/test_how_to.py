"""The messages of the how-to pages are those that the commands write."""

import asyncio
import re
from pathlib import Path

import pytest
from certificates import Authority
from documented_steps import Step, run, steps_of
from scripted_server import Do, Script, ScriptedServer, head


def steps(page: str, *words: str) -> list[Step]:
    found = [step for step in steps_of(page) if all(word in step.command for word in words)]
    assert found
    return found


def without_times(text: str) -> str:
    return re.sub(r"^\d\d:\d\d:[\d.]+ ", "", re.sub(r"\d+\.\d{4,}", "N", text), flags=re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """Return a folder with the files that the page of TLS names."""
    certificate, key = authority.client()
    for name, source in (("ca.pem", authority.file), ("client.pem", certificate), ("client.key", key)):
        (tmp_path / name).write_bytes(Path(source).read_bytes())
    return tmp_path


@pytest.mark.timeout(180)  # five programs, one after the other
async def test_the_messages_of_tls(folder: Path, authority: Authority) -> None:
    context = authority.server("localhost", "events.example")
    script: Script = [head(), b'event: tick\nid: 1\ndata: {"sent_at": 1795818387.8333457}\n\n', Do.HOLD]
    for step in steps("how-to/tls.md", "sse watch"):
        async with ScriptedServer(script, ssl_context=context) as server:
            code, said = await asyncio.to_thread(run, step.command.replace("8443", str(server.port)), folder)
        assert code == step.code, said
        if step.output:
            assert without_times(said.replace(str(server.port), "8443")) == without_times(step.output)


def test_the_message_of_too_few_open_files(tmp_path: Path) -> None:
    (step,) = steps("how-to/source-addresses.md", "-n 3000 ")
    code, said = run(f"ulimit -n 1024; {step.command}", tmp_path)
    assert (code, said) == (2, step.output)


async def test_the_message_of_a_proxy_that_holds_back_the_head(tmp_path: Path) -> None:
    (step,) = steps("how-to/nginx.md", "--timeout 5s")
    async with ScriptedServer([Do.HOLD]) as server:
        command = step.command.replace("8080", str(server.port)).replace("5s", "1s")
        code, said = await asyncio.to_thread(run, command, tmp_path)
    assert (code, said.replace(str(server.port), "8080").replace("1 s", "5 s")) == (3, step.output)
