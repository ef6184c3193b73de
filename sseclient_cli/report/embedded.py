"""A document inside an HTML page: gzip in base64, between the tags of a data block that no browser runs. Pure.

The histograms of the timeline's rows serve only to merge reports. They are most of the document of a long run, and are
left out if the page would be too large for an attachment.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sseclient_cli.errors import UsageError

ROW_HISTOGRAMS = ("delivery_us", "gap_us")
"""The fields of a timeline row that may be left out."""

MAX_PACKED_BYTES = 250_000
"""A page has 500 kB at most: half of them for the document, the rest for charts and text."""

MAX_JSON_BYTES = 256 * 2**20
"""A damaged or hostile page must not fill the memory."""

OPENING_TAG = '<script type="application/gzip;base64" id="document">'
_DATA_BLOCK = re.compile(re.escape(OPENING_TAG) + r"\s*([A-Za-z0-9+/=\s]+)</script>")


@dataclass(frozen=True, slots=True)
class Packed:
    """A document for a page."""

    base64: str
    is_complete: bool
    """Whether the histograms of the timeline's rows are included."""


def packed(document: Mapping[str, Any]) -> Packed:
    """Return a JSON document in the form that a page holds."""
    text = _compressed(document)
    if len(text) <= MAX_PACKED_BYTES or not any(report["timeline"] for report in _reports(document)):
        return Packed(text, is_complete=True)
    return Packed(_compressed(_without_row_histograms(document)), is_complete=False)


def _reports(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the reports that a document is or has."""
    return [document] if "timeline" in document else document.get("reports", [])


def _without_row_histograms(document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "timeline" not in document:
        return {**document, "reports": [_without_row_histograms(report) for report in document["reports"]]}
    rows = [{name: row[name] for name in row if name not in ROW_HISTOGRAMS} for row in document["timeline"]]
    return {**document, "timeline": rows}


def is_page(text: str) -> bool:
    """Return whether a text is a page with a document."""
    return OPENING_TAG in text


def unpacked(page: str, name: str) -> str:
    """Return the JSON text in a page from the file ``name``. Raises UsageError if it is damaged or incomplete."""
    block = _DATA_BLOCK.search(page)
    if block is None:
        raise UsageError(f"{name} is not a page of a report: it holds no document")
    try:
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        data = reader.decompress(base64.b64decode(block[1]), MAX_JSON_BYTES)
        if not reader.eof:
            raise UsageError(f"{name} is damaged: the end of its document is missing, or it is too large")
        document = json.loads(data)
    except (ValueError, RecursionError, zlib.error) as exc:
        raise UsageError(f"{name} is damaged: its document cannot be read: {exc}") from exc
    _require_row_histograms(document, name)
    return data.decode()


def _require_row_histograms(document: Any, name: str) -> None:
    reports = _reports(document) if isinstance(document, dict) else []
    if any(report["timeline"] and ROW_HISTOGRAMS[0] not in report["timeline"][0] for report in reports):
        raise UsageError(
            f"{name} holds its document without the histograms of the timeline, which made it too large: read the JSON "
            "file instead"
        )


def _compressed(document: Mapping[str, Any]) -> str:
    data = f"{json.dumps(document, indent=2)}\n".encode()  # as report/read.py writes it
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()
