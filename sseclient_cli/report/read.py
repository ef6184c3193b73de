"""Write a report as JSON, and read it back."""

from __future__ import annotations

import json

from pydantic import ValidationError

from sseclient_cli.errors import UsageError
from sseclient_cli.report.figure import Part
from sseclient_cli.report.model import SCHEMA, Report


def to_json(report: Part) -> str:
    """Return the document as JSON text with a final newline."""
    return json.dumps(report.model_dump(mode="json", by_alias=True), indent=2) + "\n"


def from_json(text: str, name: str) -> Report:
    """Return the report in the text of the file ``name``. Raises UsageError with the first problem."""
    try:
        data = json.loads(text)
    except ValueError as exc:
        raise UsageError(f"{name} is not a report: it is not JSON: {exc}") from exc
    number = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(number, int):
        raise UsageError(f"{name} is not a report: it has no schema number")
    if number != SCHEMA:
        raise UsageError(
            f"{name} has schema {number}, but this version reads only schema {SCHEMA}: run the bench again"
        )
    try:
        return Report.model_validate(data)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"{name} is not a valid report: {place}: {first['msg']}") from exc
