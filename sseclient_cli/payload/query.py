"""A compiled JMESPath expression (jmespath.org), which finds a value in the data of an event.

``jmespath`` is imported only where an expression is compiled: the import takes 15 ms, and most commands need none.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sseclient_cli.errors import UsageError
from sseclient_cli.payload.parsed_event import ParsedEvent

if TYPE_CHECKING:
    from jmespath.exceptions import ParseError

_OPERATORS = frozenset(
    {"comparator", "or_expression", "and_expression", "not_expression", "function_expression", "pipe", "subexpression"}
)
_OF_A_FIELD = frozenset({"index_expression", "projection", "filter_projection", "value_projection", "flatten"})

_HINTS = {
    "NUMBER": "write a number in backticks: `200`",
    "LITERAL": 'write a field with a dot: a.b, or a."b c"',
    "$": "a path starts with a field: a.b",
    "=": "write == to compare",
    "-": 'write a field with a hyphen in double quotes: "a-b"',
}


class Query:
    """A compiled expression. Raises UsageError for an invalid one, with the position, which counts from 1."""

    def __init__(self, expression: str) -> None:
        import jmespath
        from jmespath.exceptions import JMESPathError, ParseError

        self.expression = expression
        try:
            with warnings.catch_warnings():
                # `text` for the string 'text' is an old form, and still valid.
                warnings.simplefilter("ignore", PendingDeprecationWarning)
                self._compiled = jmespath.compile(expression)
        except ParseError as exc:
            raise _invalid(expression, _problem(exc)) from exc
        except (JMESPathError, ValueError) as exc:  # the empty expression; a number of thousands of digits
            raise _invalid(expression, "it is empty" if not expression.strip() else str(exc)) from exc
        except RecursionError as exc:
            raise _invalid(expression, "it is nested too deeply") from exc
        self._tree: Mapping[str, Any] = self._compiled.parsed
        for node in _nodes(self._tree):
            if node["type"] == "function_expression":
                _check_call(expression, node["value"], len(node["children"]))

    def find(self, parsed: ParsedEvent) -> Any:
        """Return the value of an event. None, which JMESPath takes for a missing value, if there is none."""
        if not parsed.is_json:
            return None
        try:
            return self._compiled.search(parsed.value)
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError):
            return None  # a function with a value of another type, a slice with step 0

    def is_met(self, parsed: ParsedEvent) -> bool:
        """Return whether the value is true in JMESPath: not null, false, or an empty string, array or object."""
        value = self.find(parsed)
        return value is not None and value is not False and value not in ("", [], {})

    @property
    def has_operator_or_path(self) -> bool:
        """Whether it has more than one name: a comparison, `&&`, `a.b`, `a[0]`, a call. `[DONE]` has none."""
        nodes = list(_nodes(self._tree))
        types = {node["type"] for node in nodes}
        return bool(types & _OPERATORS) or bool(types & _OF_A_FIELD and "field" in types)

    @property
    def hint(self) -> str:
        """Words on a likely mistake: JMESPath reads a name in double quotes as a field. Empty if there is none."""
        for node in _nodes(self._tree):
            if node["type"] == "comparator":
                field = node["children"][1]
                if field["type"] == "field" and f'"{field["value"]}"' in self.expression:
                    return f"\"{field['value']}\" is a field in JMESPath, '{field['value']}' a text"
        return ""


def text_of(value: Any) -> str | None:
    """Return a found value as text: a string as it is, others as JSON; None if there is no value."""
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return None  # an infinite number, or a reference to an expression (`&a`)


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield each node of a syntax tree; slices have numbers as children."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += reversed(each["children"])


def _invalid(expression: str, problem: str) -> UsageError:
    return UsageError(f"{expression!r} is not a JMESPath expression: {problem}", values={"problem": problem})


def _problem(error: ParseError) -> str:
    """Return the problem and its position."""
    from jmespath.exceptions import IncompleteExpressionError, LexerError

    position = error.lex_position + 1
    if isinstance(error, IncompleteExpressionError) or error.token_type == "EOF":
        return f"it ends at position {position}, where more is expected"
    if isinstance(error, LexerError):
        token = error.lexer_value
        if error.message.startswith("Unclosed"):
            return f"{token[:1]} at position {position} is not closed"
    else:
        token = str(error.token_value)
    hint = _HINTS.get(token) or _HINTS.get(error.token_type or "", "")
    return f"{token!r} at position {position} is not expected{': ' if hint else ''}{hint}"


def _check_call(expression: str, name: str, count: int) -> None:
    """Check a call when the expression is compiled. ``jmespath`` would raise an error for each event."""
    from jmespath.functions import Functions

    known: Mapping[str, Mapping[str, Any]] = Functions.FUNCTION_TABLE
    position = expression.find(name) + 1
    if name not in known:
        similar = get_close_matches(name, known, n=1)
        names = f"did you mean {similar[0]}?" if similar else f"known are {', '.join(sorted(known))}"
        raise _invalid(expression, f"there is no function {name} (position {position}): {names}")
    signature = known[name]["signature"]
    is_variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if count < len(signature) or (count > len(signature) and not is_variadic):
        taken = f"{'at least ' if is_variadic else ''}{len(signature)} argument{'s' * (len(signature) != 1)}"
        raise _invalid(expression, f"{name} (position {position}) takes {taken}, not {count}")
