"""The commands of ``sse``. Each is imported when it runs or shows its help; the list of all of them needs none.

Typer (0.29) makes the options of all commands before it runs one, which takes longer than to show the help of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from sseclient_cli.cli.options.conversion import convert_given_words
from sseclient_cli.cli.options.grouped import PanelledCommand, grouped

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter

PLAIN: dict[str, Any] = {
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,  # plain help: rich takes as long to import as everything else together
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""The arguments of each Typer application here."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command in the list of all: the function ``sseclient_cli.cli.NAME.NAME``."""

    short_help: str
    examples: str = ""
    has_request: bool = False
    """Whether it has the options of a request: errors advise on them."""


ENTRIES = {
    "watch": Entry(
        "Show the events of a stream as they arrive.",
        """\
sse watch https://example.com/events
sse watch demo -n 10 --json
sse watch 'curl https://example.com/events -H ...'
sse watch URL -d @prompt.json --text
sse watch URL --expect "status == 'done'" --within 30s
""",
        has_request=True,
    ),
    "bench": Entry(
        "Load-test a stream with many connections.",
        """\
sse bench https://example.com/events -n 500
sse bench demo -n 1k -z 30s --json run.json
sse bench URL -n 500 --on-end reconnect --storm 5s
sse bench URL --rate 50/s --hold 10s -n 2k --strict
""",
        has_request=True,
    ),
    "check": Entry(
        "Check one endpoint, and say what to fix.",
        """\
sse check https://example.com/events
sse check URL --bearer-env TOKEN --origin https://app.example.com
sse check demo --strict --ignore x-accel-buffering
sse check URL -z 65s --json check.json
""",
        has_request=True,
    ),
    "report": Entry(
        "Show the report of a run, or merge several.",
        """\
sse report run.json
sse report run.json --html run.html -o junit.xml
sse report machine1.json machine2.json --json all.json
sse report run.json --assert 'delivery.p99 < 50ms'
""",
    ),
    "compare": Entry(
        "Compare the reports of two or more runs.",
        """\
sse compare before.json after.json
sse compare main.json branch.json --fail-if-worse 10%
sse compare a.json b.json c.json --json comparison.json
""",
    ),
    "replay": Entry(
        "Serve a recording as an event stream.",
        """\
sse watch https://example.com/events --record events.jsonl
sse replay events.jsonl
sse replay events.jsonl --speed 10x --loop --port 0
sse replay events.jsonl --jitter 50ms
""",
    ),
    "demo": Entry("Run the demo server."),
}


def function_of(name: str) -> Callable[..., int]:
    """Import a command, and return its function."""
    function: Callable[..., int] = getattr(import_module(f"sseclient_cli.cli.{name}"), name)
    return function


@cache
def _made(name: str) -> Command:
    entry = ENTRIES[name]
    alone = typer.Typer(add_completion=False, **PLAIN)
    kind = PanelledCommand if entry.examples else TyperCommand
    alone.command(
        name, cls=kind, epilog=entry.examples, short_help=entry.short_help, context_settings=PLAIN["context_settings"]
    )(grouped(function_of(name)))
    return typer.main.get_command(alone)


class Commands(Mapping[str, "Command"]):
    """The commands of ``ENTRIES`` for Typer, each made on first use."""

    def __getitem__(self, name: str) -> Command:
        return _made(name)

    def __iter__(self) -> Iterator[str]:
        return iter(ENTRIES)

    def __len__(self) -> int:
        return len(ENTRIES)


class CommandGroup(TyperGroup):
    """The group of ``Commands``, whose list imports no command."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"commands": Commands()})

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        convert_given_words(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def list_commands(self, _ctx: Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(self.commands)

    def format_commands(self, _ctx: Context, formatter: HelpFormatter) -> None:
        """Write a line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in ENTRIES.items()])
