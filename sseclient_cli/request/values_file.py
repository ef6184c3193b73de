"""Read a file with values for streams: CSV with the names of the columns, or JSON lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from itertools import chain
from typing import Any

from sseclient_cli.errors import UsageError
from sseclient_cli.request.placeholders import NAME

MAX_FILE_BYTES = 256 * 1024**2
"""Every worker has its own copy of the values."""

Columns = dict[str, tuple[str | None, ...]]
"""The values of each column; None for a row without one."""


def read_values(name: str) -> Columns:
    """Return the columns of a file by name. A column whose name cannot be a placeholder is left out.

    Raises UsageError.
    """
    text = read_text(name, "values")
    first = next((line for line in text.splitlines() if line.strip()), "")
    rows = list(_json_rows(text, name) if first.lstrip().startswith("{") else _csv_rows(text, name))
    if not rows:
        raise UsageError(f"{name} has no values: write a line for each stream after the names of the columns")
    columns = [column for column in dict.fromkeys(chain.from_iterable(rows)) if re.fullmatch(NAME, column)]
    if not columns:
        raise UsageError(f"{name} has no column that can be a placeholder: use letters, digits, _, . and - in a name")
    return {column: tuple(row.get(column) for row in rows) for column in columns}


def read_text(name: str, argument: str) -> str:
    """Return the text of a file. Raises UsageError."""
    try:
        with open(name, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as exc:
        raise cannot_read(name, exc, argument) from exc
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{name} is larger than {MAX_FILE_BYTES // 1024**2} MiB", arguments=[argument])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise UsageError(f"{name}, line {line}: the text is not UTF-8", arguments=[argument]) from exc


def cannot_read(name: str, exc: Exception, argument: str) -> UsageError:
    """Return the error for a file that cannot be read."""
    why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return UsageError(f"cannot read {name}: {why.lower()}", arguments=[argument])


def _csv_rows(text: str, name: str) -> Iterator[dict[str, str]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        columns: list[str] = []
        for row in reader:
            if not any(row):
                continue
            cells = [cell.strip() for cell in row] if not columns else row
            if not columns:
                columns = cells
                if len(set(columns)) < len(columns):
                    raise UsageError(f"{name}: two columns have the same name")
            elif len(cells) != len(columns):
                raise UsageError(
                    f"{name}, line {reader.line_num}: {len(cells)} values for {len(columns)} columns "
                    f"({', '.join(columns)})"
                )
            else:
                yield dict(zip(columns, cells, strict=True))
    except csv.Error as exc:
        raise UsageError(f"{name}, line {reader.line_num}: {exc}") from exc


def _json_rows(text: str, name: str) -> Iterator[dict[str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise UsageError(f"{name}, line {number}: not JSON: {exc}") from exc
        if not isinstance(row, dict):
            raise UsageError(f'{name}, line {number}: not a JSON object: write one like {{"token": "abc"}}')
        yield {column: _text(value) for column, value in row.items()}


def _text(value: Any) -> str:
    """Return a string as it is, and anything else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
