"""Convert the words of a command line, without pydantic where the words are texts or have a parser of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer._click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typer._click.core import Context, Parameter
    from typer.core import TyperOption


class GivenWords:
    """The conversion of the parameters that were given; a default has its type already.

    Typer (0.29) makes a pydantic adapter for each parameter, given or not. The import of pydantic and the adapters
    take more than half of the start of `sse watch`.
    """

    def coerce(self, value: Any, param: TyperOption, ctx: Context) -> Any:
        """Return the value of a parameter, from a word, a list of words or its default."""
        if value is None or ctx.get_parameter_source(param.name) is ParameterSource.DEFAULT:
            return value
        described = param.type_descriptor
        if described.annotation in (str, list[str]) and described.parameter_info.parser is None:
            return value
        if described.parameter_info.parser is not None and not described.is_list:
            return described.parameter_info.parser(value)
        from typer._coercion import build_runtime_param

        return build_runtime_param(described).coerce(value, param=param, ctx=ctx)


_GIVEN_WORDS = GivenWords()


def convert_given_words(parameters: Iterable[Parameter]) -> None:
    """Let these parameters convert their words as above. A Typer without this private name converts them itself."""
    for each in parameters:
        each._runtime_param = _GIVEN_WORDS  # type: ignore[attr-defined]
