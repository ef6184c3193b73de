"""Every `sse` command of the pages has options that exist, with values that these options take."""

import re
import shlex
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from sseclient_cli.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```console\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
END = re.compile(r"^[|;>]+$")


def commands_of(page: Path) -> list[list[str]]:
    """Return the words of each `sse` command, without pipes and comments."""
    found: list[list[str]] = []
    for block in BLOCK.findall(page.read_text("utf-8")):
        for line in block.splitlines():
            if line.strip().startswith("$ sse "):
                lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars="|;>")
                lexer.whitespace_split = True
                command: list[str] = []
                for word in [*lexer, ";"]:
                    if not END.match(word):
                        command.append(word)
                    elif command:
                        found.append(command)
                        command = []
    return [command for command in found if command[0] == "sse"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_a_page_can_be_typed(path: Path) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for _, name, *arguments in commands_of(path):
        group.commands[name].make_context(name, arguments)


def test_the_pages_have_commands() -> None:
    having = {page.name for page in PAGES if commands_of(page)}
    assert having >= {"README.md", "tutorial.md", "cli.md", "tls.md", "nginx.md", "exit-codes.md"}
