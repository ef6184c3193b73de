"""Commands whose options stand in dataclasses: flattened for Typer, and shown in a panel of ``--help`` each.

Typer (0.29) makes a parameter of each parameter of a function. ``grouped`` gives a command the signature that it
wants, one parameter for each field, and calls the command with the dataclasses filled in.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

from typer.core import TyperCommand

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command for Typer: options stand one by one where ``command`` has a dataclass of them."""
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

    del run.__wrapped__  # or Typer would look at the command that this stands for
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
    kind, option = get_args(annotation)
    option = copy(option)
    option.rich_help_panel = panel
    return Annotated[kind, option]


def sections_of(command: Command, ctx: Context) -> dict[str, list[tuple[str, str]]]:
    """Return options and their help by panel, in the order of their declaration."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            is_argument = parameter.param_type_name == "argument"
            panel = "Arguments" if is_argument else getattr(parameter, "rich_help_panel", None) or "Other"
            sections.setdefault(panel, []).append(record)
    return sections


class PanelledCommand(TyperCommand):
    """A command whose plain help has a section for each panel, and examples at the end."""

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the options panel by panel, in the order of their declaration."""
        for panel, records in sections_of(self, ctx).items():
            with formatter.section(panel):
                formatter.write_dl(records)

    def format_epilog(self, _ctx: Context, formatter: HelpFormatter) -> None:
        """Write the examples line by line, as they are to be typed."""
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
