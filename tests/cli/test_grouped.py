"""Options are declared once, in a dataclass for each panel of the help."""

import shlex
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pytest
import typer
from golden import Golden
from typer.testing import CliRunner

from sseclient_cli.cli import app
from sseclient_cli.cli.commands import ENTRIES
from sseclient_cli.cli.options.grouped import PanelledCommand, grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    PANEL: ClassVar = "Size"
    count: Annotated[int, typer.Option("-n", "--count", help="How many.")] = 3
    names: Annotated[list[str] | None, typer.Option("--name", help="A name.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    PANEL: ClassVar = "Colour"
    red: Annotated[bool, typer.Option("--red", help="Be red.")] = False


def made(seen: list[object]) -> typer.Typer:
    def command(place: Annotated[str, typer.Argument()], size: Size, colour: Colour) -> int:
        """Paint a place."""
        seen.extend([place, size, colour])
        return 0

    cli = typer.Typer(rich_markup_mode=None)
    cli.command(cls=PanelledCommand, epilog="paint here -n 2\npaint there --red")(grouped(command))
    return cli


def test_a_command_gets_its_options_in_their_dataclasses() -> None:
    seen: list[object] = []
    assert CliRunner().invoke(made(seen), ["here", "-n", "5", "--name", "a", "--name", "b", "--red"]).exit_code == 0
    assert seen == ["here", Size(count=5, names=["a", "b"]), Colour(red=True)]


def test_an_option_that_is_not_given_has_the_default_of_the_dataclass() -> None:
    seen: list[object] = []
    assert CliRunner().invoke(made(seen), ["here"]).exit_code == 0
    assert seen == ["here", Size(), Colour()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--shape"], "auto"),
        (["--shape", "--name", "n"], "auto"),
        (["--shape", "round", "--name", "n"], "round"),
        ([], "none"),
    ],
)
def test_value_of_an_option_in_brackets_may_be_left_out(arguments: list[str], expected: str) -> None:
    app = typer.Typer()

    @app.command(cls=PanelledCommand)
    def show(
        shape: Annotated[str, typer.Option(metavar="[auto|round]")] = "none", name: Annotated[str, typer.Option()] = ""
    ) -> None:
        typer.echo(f"{shape} {name}".strip())

    said = CliRunner().invoke(app, arguments).output.split()
    assert said[0] == expected


def test_help_has_a_section_for_each_panel_and_examples_as_they_are_typed() -> None:
    shown = CliRunner().invoke(made([]), ["--help"]).output
    titles = [line for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Arguments:", "Size:", "Colour:", "Other:", "Examples:"]
    assert "  paint here -n 2\n  paint there --red\n" in shown


@pytest.mark.parametrize("arguments", [(), ("watch",), ("bench",), ("demo",)], ids=lambda a: "-".join(("sse", *a)))
def test_the_help_reads_like_this(arguments: tuple[str, ...], golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(app, [*arguments, "--help"], prog_name="sse").output
    golden("-".join(("help", *arguments)), shown)


@pytest.mark.parametrize("command", ["watch", "bench"])
def test_the_help_of_our_commands_is_in_panels_and_fits(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"]).output
    assert [line for line in shown.splitlines() if len(line) >= 90] == []
    for panel in ("Request:", "Connection:", "Output:", "Examples:"):
        assert panel in shown
    assert "Other:\n  -h, --help" in shown


@pytest.mark.parametrize("command", ["watch", "bench", "check", "demo"])
def test_the_help_of_an_option_is_one_short_sentence(command: str) -> None:
    options = typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
    assert [each.name for each in options if each.param_type_name == "option" and len(each.help) > 95] == []


@pytest.mark.parametrize("example", [*ENTRIES["watch"].examples.splitlines(), *ENTRIES["bench"].examples.splitlines()])
def test_every_example_of_the_help_is_understood(example: str) -> None:
    program, name, *arguments = shlex.split(example)
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert program == "sse"
    parameters = commands[name].make_context(name, arguments).params
    assert parameters.get("url") or parameters["urls"]
