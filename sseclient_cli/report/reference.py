"""Generate the JSON Schema and the tables of ``docs/reference/report.md`` from the catalogue of figures.

``python -m sseclient_cli.report.reference`` (`make reference`) writes both; a test fails if a file is out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sseclient_cli.report.distributions import Durations, Latency, QueueSizes, Sizes
from sseclient_cli.report.figure import Entry, catalogue
from sseclient_cli.report.limit_model import LimitSearch
from sseclient_cli.report.model import SCHEMA, Report
from sseclient_cli.report.sweep_model import Sweep

SCHEMA_PATH = Path(__file__).parent / "schema.json"
DOCS_PATH = Path(__file__).parents[2] / "docs/reference/report.md"

_BEGIN = "<!-- The tables below are written by `make reference`. -->"
_DISTRIBUTIONS = (Latency, Durations, Sizes, QueueSizes)
"""Listed once, not at each field that holds one."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a report. It is open: later versions may add fields."""
    made = Report.model_json_schema(by_alias=True, mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"The report of one sse bench run, schema {SCHEMA}",
        **{name: value for name, value in made.items() if name != "title"},
    }


def schema_text() -> str:
    """Return the text of the schema file."""
    return json.dumps(schema(), indent=2) + "\n"


def docs_text(text: str) -> str:
    """Return the text of ``docs/reference/report.md`` with current tables."""
    return text[: text.index(_BEGIN) + len(_BEGIN)] + "\n\n" + _tables()


def _tables() -> str:
    """Return a table for each part of the report, each kind of distribution, and each document of several runs."""
    parts: dict[str, list[Entry]] = {}
    for entry in catalogue(Report):
        if entry.model not in _DISTRIBUTIONS:
            parts.setdefault(entry.path.partition(".")[0].removesuffix("[]"), []).append(entry)
    lines: list[str] = []
    for name, (whole, *figures) in parts.items():
        lines += [f"### {name}", "", whole.doc, "", *_table(figures)]
    for model in _DISTRIBUTIONS:
        lines += [f"### Distribution: {model.__name__}", "", model.__doc__ or "", "", *_table(catalogue(model))]
    for document in (LimitSearch, Sweep):
        lines += [f"### Document: {document.__name__}", "", document.__doc__ or "", "", *_table(catalogue(document))]
    return "\n".join(lines).rstrip() + "\n"


def _table(figures: Iterable[Entry]) -> list[str]:
    rows = [f"| `{each.path}` | {each.unit} | {each.better} | {_cell(each.doc)} |" for each in figures]
    return ["| figure | unit | better | meaning |", "|---|---|---|---|", *rows, ""] if rows else []


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write both files."""
    SCHEMA_PATH.write_text(schema_text(), "utf-8")
    DOCS_PATH.write_text(docs_text(DOCS_PATH.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
