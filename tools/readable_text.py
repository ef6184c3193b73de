"""The text that people read in a file of the repository.

Python: docstrings and comments; in product code every other string of several words, too, because help texts, errors
and summaries are made of them. In tests, other strings are data. Markdown: all but code. Other files: comments.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

STRINGS_ARE_DATA = {"tests", "tools"}
"""Folders whose strings are not printed for users, except for docstrings."""

_CODE = re.compile(r"^( *)(```|~~~).*?^\1\2 *$|^    [^\n]*$|`[^`]*`|<!--.*?-->|\]\([^)]*\)", re.MULTILINE | re.DOTALL)
_PYTHON_CODE = re.compile(r"``[^`]*``|`[^`\n]*`")
_SHELL_COMMENT = re.compile(r"(?:^|\s)#+ .*$", re.MULTILINE)
_SCRIPT_COMMENT = re.compile(r"(?:^|\s)//[^\n]*$|/\*.*?\*/", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Passage:
    """Some text of a file, from a line on."""

    path: str
    line: int
    text: str
    is_comment: bool
    """A comment or a docstring of Python: the density of clauses is that of these."""

    def place(self, offset: int) -> str:
        """Return file:line of a character."""
        return f"{self.path}:{self.line + self.text.count(chr(10), 0, offset)}"


def passages(root: Path, path: str) -> Iterator[Passage]:
    """Return the readable text of a file, with code blanked out."""
    text = (root / path).read_text("utf-8")
    match PurePosixPath(path).suffix:
        case ".py":
            yield from _python(path, text)
        case ".md":
            yield Passage(path, 1, _CODE.sub(_blanked, text), is_comment=False)
        case ".html":
            yield Passage(path, 1, re.sub(r"<[^>]*>", _blanked, text), is_comment=False)
        case ".js" | ".css" | ".c" | ".h":
            yield from _comments(path, text, _SCRIPT_COMMENT)
        case _:
            yield from _comments(path, text, _SHELL_COMMENT)


def _blanked(match: re.Match[str]) -> str:
    """Return the same number of empty lines, so that the rest of the file keeps its line numbers."""
    return "x" + "\n" * match[0].count("\n")


def _comments(path: str, text: str, comment: re.Pattern[str]) -> Iterator[Passage]:
    for match in comment.finditer(text):
        yield Passage(path, text.count("\n", 0, match.start()) + 1, match[0], is_comment=False)


def _python(path: str, text: str) -> Iterator[Passage]:
    yield from _python_comments(path, text)
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):  # parents come before their children
        if isinstance(node, ast.Expr):
            docstrings.add(id(node.value))
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        is_docstring = id(node) in docstrings
        if is_docstring or (" " in node.value and PurePosixPath(path).parts[0] not in STRINGS_ARE_DATA):
            yield Passage(path, node.lineno, _PYTHON_CODE.sub(_blanked, node.value), is_comment=is_docstring)


def _python_comments(path: str, text: str) -> Iterator[Passage]:
    """Return comments; those of consecutive lines are one passage, as a phrase may be wrapped."""
    first, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != first + len(lines):
            yield Passage(path, first, "\n".join(lines), is_comment=True)
            lines = []
        first = first if lines else token.start[0]
        lines.append(_PYTHON_CODE.sub(_blanked, token.string.lstrip("#")))
    if lines:
        yield Passage(path, first, "\n".join(lines), is_comment=True)
