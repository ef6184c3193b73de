"""Options of other tools: each command gets a hint that it can follow."""

from __future__ import annotations

import re

import pytest

from sseclient_cli.cli.commands import ENTRIES, function_of
from sseclient_cli.cli.habits import _HINTS, habit_hint
from sseclient_cli.cli.options.grouped import all_names_of

COMMANDS = {name: function_of(name) for name, entry in ENTRIES.items() if entry.has_request}
WATCH, BENCH = (all_names_of(COMMANDS[name]) for name in ("watch", "bench"))


def test_a_hint_depends_on_the_command() -> None:
    assert habit_hint("-t", BENCH).endswith("for threads use --workers COUNT for worker processes")
    assert habit_hint("-t", WATCH) == "use --timeout TIME for a time limit"
    assert habit_hint("--include", WATCH) == "`sse watch URL -v` shows the response"
    assert habit_hint("--include", BENCH) == "`sse watch URL -v` shows the response"
    assert habit_hint("--connections", WATCH) == "`sse bench URL -n COUNT` opens many streams"


def test_an_option_that_no_tool_has_gets_no_hint() -> None:
    assert habit_hint("--frobnicate", BENCH) == ""


@pytest.mark.parametrize("options", [WATCH, BENCH], ids=["watch", "bench"])
def test_no_hint_names_an_option_that_the_command_lacks(options: list[str]) -> None:
    for unknown in _HINTS:
        named = re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", re.sub(r"`[^`]*`", "", habit_hint(unknown, options)))
        assert set(named) <= set(options), unknown
