"""The page ``docs/reference/cli.md``: each command with its options, as ``--help`` has them.

``python -m sseclient_cli.cli.reference`` writes it; a test compares the page with the commands.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from typer.core import TyperGroup
from typer.main import get_command

from sseclient_cli.cli import app
from sseclient_cli.cli.options.grouped import sections_of

if TYPE_CHECKING:
    from typer._click.core import Command

PAGE_PATH = Path(__file__).parents[2] / "docs/reference/cli.md"

_INTRODUCTION = """\
# Command line

<!-- Written by `make reference` from the commands. -->

The options of each command, as `-h` and `--help` show them. A count or a size may have a suffix (`5k`, `16M`), and a
time a unit (`500ms`, `10s`, `1m30s`). stdout is data; stderr is progress and errors. The exit codes have
[their own page](exit-codes.md).
"""


def page_text() -> str:
    """Return the text of the page."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    lines = [_INTRODUCTION]
    for name, command in group.commands.items():
        lines += _command_lines(f"sse {name}", command)
    return "\n".join(lines).rstrip() + "\n"


def _command_lines(title: str, command: Command) -> Iterator[str]:
    context = command.context_class(command, info_name=title, **command.context_settings)
    usage = " ".join([title, *command.collect_usage_pieces(context)])
    yield from (f"## {title}", "", " ".join((command.help or "").split()), "", "```text", usage, "```", "")
    for panel, records in sections_of(command, context).items():
        rows = [f"| {_code(name)} | {_plain(text)} |" for name, text in records if not name.endswith("--help")]
        if rows:
            kind = "argument" if panel == "Arguments" else "option"
            heading = "Options" if panel == "Other" else panel
            yield from (f"### {title}: {heading}", "", f"| {kind} | meaning |", "|---|---|", *rows, "")
    if command.epilog:
        yield from (f"### {title}: Examples", "", "```console")
        yield from (f"$ {line}" for line in command.epilog.splitlines())
        yield from ("```", "")


def _code(text: str) -> str:
    """Return text as code in a table. With a | it is HTML: there, Markdown escapes differ between renderers."""
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _plain(text: str) -> str:
    """Return help, which is plain text with code in backticks, as Markdown in a table."""
    return " ".join(text.split()).replace("*", "\\*").replace("<", "&lt;").replace("|", "&#124;")


def main() -> None:
    """Write the page."""
    PAGE_PATH.write_text(page_text(), "utf-8")


if __name__ == "__main__":
    main()
