"""Where the results of a run are kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path(__file__).with_name("results")


def save(stem: str, text: str, document: Mapping[str, object]) -> None:
    """Write a report, and the figures that it was made of."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{stem}.md").write_text(text)
    (RESULTS / f"{stem}.json").write_text(json.dumps(document, indent=1) + "\n")
    show_progress(f"written: benchmarks/results/{stem}.md and .json")


def show_progress(text: str) -> None:
    """Print progress to stderr."""
    print(text, file=sys.stderr, flush=True)
