"""The timeline as CSV, one line for each row, for spreadsheets and notebooks.

All cells are numbers, so that no program takes one for a formula. A figure that was not measured is an empty cell.
"""

from __future__ import annotations

import csv
from io import StringIO

from sseclient_cli.report.figure import catalogue
from sseclient_cli.report.model import Report
from sseclient_cli.report.timeline_model import Row

COLUMNS = tuple(
    entry.path
    for entry in catalogue(Row)
    if entry.is_number and not entry.path.endswith("_ns")  # evidence for merging
)


def timeline_csv(report: Report) -> str:
    """Return the timeline with a header line; units are in the names."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report.timeline:
        values = (getattr(row, column) for column in COLUMNS)
        writer.writerow("" if value is None else value for value in values)
    return text.getvalue()
