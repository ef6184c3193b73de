from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo_server.app import create_api
from demo_server.options import Options
from demo_server.streams.registry import Streams
from demo_server.workers.peers import LocalPeers
from sseclient_cli.cli.completion import DEMO_ENDPOINTS

SSE = str(Path(sys.executable).with_name("sse"))


def completed(line: str, shell: str = "bash") -> list[str]:
    """Return the completions of the last word of a command line, as the shell gets them."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_SSE_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
    }
    done = subprocess.run([SSE], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("command", ["watch", "bench", "check"])
def test_the_endpoints_of_the_bundled_server_are_completed(command: str) -> None:
    assert completed(f"sse {command} demo/st") == ["demo/stream", "demo/streaming-response"]


def test_options_are_completed() -> None:
    assert "--expect-within" in completed("sse watch --expect")


def test_other_shells_show_the_descriptions() -> None:
    assert '"demo/ndjson":"one JSON object per line"' in "".join(completed("sse watch demo/ndj", "zsh"))


def test_the_completed_endpoints_are_those_of_the_server_that_stream() -> None:
    api = create_api(Streams(), LocalPeers(), Options())
    paths = {path.replace("{name}", "news") for path in api.openapi()["paths"]} | {"/ws"}
    without_a_stream = {path for path in paths if path.startswith(("/stats", "/healthz", "/truth", "/v1/truth"))}
    assert {url.removeprefix("demo") for url in DEMO_ENDPOINTS} == paths - without_a_stream
