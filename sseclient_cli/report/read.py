"""Write a document as JSON, and read it back, also from a page."""

from __future__ import annotations

import json

from pydantic import ValidationError

from sseclient_cli.errors import UsageError
from sseclient_cli.report.check_model import CheckReport
from sseclient_cli.report.comparison_model import Comparison
from sseclient_cli.report.embedded import is_page, unpacked
from sseclient_cli.report.figure import Part
from sseclient_cli.report.limit_model import LimitSearch
from sseclient_cli.report.model import SCHEMA, Report
from sseclient_cli.report.sweep_model import Sweep

Document = Report | Comparison | LimitSearch | Sweep | CheckReport

_MODELS: dict[str, type[Report] | type[Comparison] | type[LimitSearch] | type[Sweep] | type[CheckReport]] = {
    "report": Report,
    "comparison": Comparison,
    "limit-search": LimitSearch,
    "sweep": Sweep,
    "check": CheckReport,
}
"""The kinds of documents, by their field ``document``."""


def to_json(report: Part) -> str:
    """Return the document as JSON text with a final newline."""
    return json.dumps(report.model_dump(mode="json", by_alias=True), indent=2) + "\n"


def from_json(text: str, name: str) -> Report:
    """Return the report in the text of the file ``name``. Raises UsageError with the first problem."""
    found = read_document(text, name)
    if not isinstance(found, Report):
        raise UsageError(f"{name} is not the report of a run: it is a {found.document}")
    return found


def read_document(text: str, name: str) -> Document:
    """Return the document in a file, JSON or a page. Raises UsageError with the first problem."""
    if is_page(text):
        text = unpacked(text, name)
    if not text.strip():
        raise UsageError(f"{name} is not a report: it is empty")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as exc:  # RecursionError: thousands of nested lists
        raise UsageError(f"{name} is not a report: it is not JSON: {exc}") from exc
    number = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(number, int):
        raise UsageError(f"{name} is not a report: it has no schema number")
    if number != SCHEMA:
        raise UsageError(
            f"{name} has schema {number}, but this version reads only schema {SCHEMA}: run the bench again"
        )
    model = _MODELS.get(data.get("document", "report"))
    if model is None:
        raise UsageError(f"{name} is a document of a kind that this version does not know: {data['document']}")
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"{name} is not a valid {data.get('document', 'report')}: {place}: {first['msg']}") from exc
