"""Commands whose options are fields of dataclasses, one dataclass for each panel of ``--help``.

Typer (0.29) makes an option of each parameter of a function and does not know dataclasses. ``grouped`` returns a
function with one parameter per field, which calls the command with the dataclasses filled in.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, is_dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, dataclass_transform, get_args, get_type_hints

from typer.core import TyperCommand

from sseclient_cli.cli.options.conversion import convert_given_words

_DEFAULT_AS_TEXT = re.compile(r"\[default: \((.*)\)\]")

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter


Group = TypeVar("Group")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def option_group(group: type[Group]) -> type[Group]:
    """Make a dataclass of options.

    Only mypy knows that it is frozen: the methods that refuse a change at runtime would be a twentieth of the time of
    ``sse bench --help``.
    """
    return dataclass(kw_only=True)(group)


@dataclass(frozen=True)
class Sets:
    """Metadata of an option: the arguments of the library that it sets, besides the one with the field's name."""

    arguments: tuple[str, ...]

    def __init__(self, *arguments: str) -> None:
        object.__setattr__(self, "arguments", arguments)


@dataclass(frozen=True, slots=True)
class Option:
    """An option as messages name it: ``--proxy``, and ``--proxy URL`` with the value that it takes."""

    name: str
    metavar: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.metavar}".rstrip()


def options_of(command: Callable[..., int]) -> dict[str, Option]:
    """Return the options of a command, each under the names of the arguments that it sets."""
    found: dict[str, Option] = {}
    for each in _options(command):
        _, declared, *others = get_args(each.annotation)
        option = Option(long_name(_names(each)), declared.metavar or "")
        arguments = (name for other in others if isinstance(other, Sets) for name in other.arguments)
        found |= dict.fromkeys([each.name, *arguments], option)
    return found


def all_names_of(command: Callable[..., int]) -> list[str]:
    """Return every name of every option of a command: ``-n``, ``-c``, ``--connections``, ..."""
    return [half for each in _options(command) for name in _names(each) for half in name.split("/")]


def _options(command: Callable[..., int]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if is_dataclass(parameter.annotation):
            yield from _parameters_of(parameter.annotation)


def _names(option: inspect.Parameter) -> list[str]:
    """Return an option's names. Typer (0.29) has the first in ``default``, and makes one if none is declared."""
    _, declared, *_ = get_args(option.annotation)
    names = [name for name in (declared.default, *(declared.param_decls or ())) if isinstance(name, str)]
    return names or [f"--{option.name.replace('_', '-')}"]


def long_name(names: Sequence[str]) -> str:
    """Return the name of an option in messages: its first long one, of ``--yes/--no`` the first half."""
    return next((name for name in names if name.startswith("--")), names[0]).partition("/")[0]


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command for Typer, with a parameter for each option where ``command`` has a dataclass of options."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if not is_dataclass(parameter.annotation):
            parameters.append(parameter)
            continue
        groups[parameter.name] = parameter.annotation
        parameters += _parameters_of(parameter.annotation)

    @functools.wraps(command)
    def run(**values: Any) -> int:
        made = {
            name: group(**{each.name: values.pop(each.name) for each in fields(group)})
            for name, group in groups.items()
        }
        return command(**values, **made)

    del run.__wrapped__  # otherwise Typer would read the signature of ``command``
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameters_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=_in_panel(hints[each.name], group.PANEL),
        )
        for each in fields(group)
    ]


def _in_panel(annotation: Any, panel: str) -> Any:
    kind, option, *others = get_args(annotation)
    option = copy(option)
    option.rich_help_panel = panel
    return Annotated[kind, option, *others]


def is_given(value: object) -> bool:
    """Return whether an option with this value is given."""
    return value is not None and value is not False


def given(names: Collection[str], *groups: Any) -> dict[str, Any]:
    """Return the given options of these groups whose name is one of ``names``."""
    values = {each.name: getattr(group, each.name) for group in groups for each in fields(group)}
    return {name: value for name, value in values.items() if name in names and is_given(value)}


def sections_of(command: Command, ctx: Context) -> dict[str, list[tuple[str, str]]]:
    """Return options and their help by panel, in declaration order."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            is_argument = parameter.param_type_name == "argument"
            panel = "Arguments" if is_argument else getattr(parameter, "rich_help_panel", None) or "Other"
            name, text = record
            # Typer (0.29) puts a default that is given as text in parentheses.
            sections.setdefault(panel, []).append((name, _DEFAULT_AS_TEXT.sub(r"[default: \1]", text)))
    return sections


def _with_values(args: Sequence[str], values_of: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for arg, following in zip_longest(args, args[1:], fillvalue=""):
        yield arg
        # The parser refuses another word as a wrong value; a URL and a file have other characters.
        if arg in values_of and (following in _PLACES or not _WORD.fullmatch(following)):
            yield values_of[arg][0]


_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
_PLACES = ("demo", "localhost")
"""Words that are URLs of a command."""


class PanelledCommand(TyperCommand):
    """A command whose plain help has a section per panel, and examples at the end.

    The value of an option with a metavar in brackets, ``[auto|a|b]``, may be left out: it is then the first.
    """

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the arguments, with the values that were left out (Typer 0.29 has no such options)."""
        convert_given_words(self.get_params(ctx))
        return super().parse_args(ctx, list(_with_values(args, self._optional_values())))

    def _optional_values(self) -> dict[str, list[str]]:
        metavars = {name: each.metavar or "" for each in self.params for name in each.opts}
        return {name: text[1:-1].split("|") for name, text in metavars.items() if text[:1] + text[-1:] == "[]"}

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the options panel by panel, in declaration order."""
        for panel, records in sections_of(self, ctx).items():
            with formatter.section(panel):
                formatter.write_dl(records)

    def format_epilog(self, _ctx: Context, formatter: HelpFormatter) -> None:
        """Write the examples line by line, without wrapping them."""
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
