"""Errors and figures below the command line name arguments: a program that uses the library has no options."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import sseclient_cli
from sseclient_cli.cli.commands import ENTRIES, function_of
from sseclient_cli.cli.options.grouped import all_names_of

COMMANDS = {name: function_of(name) for name, entry in ENTRIES.items() if entry.has_request}
PACKAGE = Path(sseclient_cli.__file__).parent
NAMES = frozenset(name for command in COMMANDS.values() for name in all_names_of(command))
BELOW = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ("cli", "render", "__main__.py")
]
ABOVE = [path for folder in ("cli", "render") for path in sorted((PACKAGE / folder).rglob("*.py"))]
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def strings_of(path: Path) -> list[ast.Constant]:
    """Return the string literals of a module, without its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def options_in(path: Path) -> list[tuple[int, str]]:
    return [
        (node.lineno, name)
        for node in strings_of(path)
        for name in _OPTION.findall(str(node.value).replace("ulimit -n", ""))
        if name in NAMES
    ]


def test_the_names_are_those_of_the_commands() -> None:
    assert {"-n", "--connections", "--timeout", "--no-reconnect", "-H", "--bearer", "--json"} <= NAMES


@pytest.mark.parametrize("path", BELOW, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_string_below_the_command_line_names_an_option(path: Path) -> None:
    assert options_in(path) == []


def test_the_command_line_and_the_views_do_name_options() -> None:
    assert sum(len(options_in(path)) for path in ABOVE) > 50
