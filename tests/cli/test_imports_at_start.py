"""A command imports only what it needs: not seconds, which depend on the machine, but modules."""

from __future__ import annotations

import subprocess
import sys

import pytest

OF_RUNS = {"asyncio", "fastapi", "hdrh", "httpx", "jinja2", "jmespath", "json", "pydantic", "rich", "ssl", "uvloop"}
COMMANDS = {"bench", "check", "compare", "demo", "replay", "report", "watch"}


def imported_by(*arguments: str) -> tuple[str, set[str]]:
    """Return the output of a command, and the modules that it has imported at its end."""
    script = (
        "import sys\n"
        "from sseclient_cli.__main__ import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(' '.join(name for name, module in sys.modules.items() if module))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout, set(done.stderr.split())


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_command_without_a_command_imports_no_command(argument: str) -> None:
    shown, modules = imported_by(argument)
    assert all(command in shown for command in COMMANDS) or argument == "--version"
    assert modules & OF_RUNS == set()
    assert modules & {f"sseclient_cli.cli.{command}" for command in COMMANDS} == set()
    assert "sseclient_cli.sse.event_stream" not in modules


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_a_command_imports_no_other_command_and_nothing_of_its_run(command: str) -> None:
    shown, modules = imported_by(command, "--help")
    assert shown.startswith("Usage: ")
    # The options of bench have the APIs of LLMs as values, whose module reads JSON.
    assert modules & (OF_RUNS - {"json"}) == set()
    assert modules & {"sseclient_cli.cli.bench_run", "sseclient_cli.cli.watch_run", "sseclient_cli.engine"} == set()


def test_watch_imports_no_converter_no_server_and_nothing_of_a_load_test() -> None:
    _, modules = imported_by("watch", "http://127.0.0.1:1/", "--no-reconnect", "-n", "1", "-z", "2s")
    assert "sseclient_cli.cli.watch_run" in modules
    assert modules & {"fastapi", "hdrh", "jinja2", "pydantic", "sseclient_cli.cli.bench", "sseclient_cli.run"} == set()
