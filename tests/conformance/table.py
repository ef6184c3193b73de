"""docs/explanation/conformance.md, generated from the results of the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.clients import Client
from conformance.left_out import LEFT_OUT, PARTLY

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs/explanation/conformance.md"
BEGIN, END = "<!-- made by the tests: make conformance -->\n", "<!-- end of what the tests made -->\n"
LEVELS: dict[str, str] = {
    case["name"]: case["level"]
    for case in json.loads((ROOT / "tests/data/connection_cases.json").read_text("utf-8"))["connection_cases"]
}
"""Of all cases, in the order of the file, followed by those where browsers differ from our decision."""
LEVELS.update({"retry-empty": "decision", "leid-controls": "decision", "leid-only-spaces": "decision"})
LEVELS["bom-then-line-end"] = "spec"


@dataclass(frozen=True, slots=True)
class Shown:
    """The result that a test shows for a client when it passes."""

    seen: str
    why: str = ""
    """The reason, where the result differs from the case."""


Results = Mapping[tuple[str, Client], list[Shown]]


def table(results: Results) -> str:
    """Return the tables: the results of each client, and the reasons for differences and omissions."""
    lines = ["| case | level | what is seen | " + " | ".join(f"{client.value}" for client in Client) + " |"]
    lines.append("|---|---|---|" + "---|" * len(Client))
    for name, level in LEVELS.items():
        cells = [_cell(name, client, results) for client in Client]
        lines.append(f"| {name} | {level} | {_seen(name, results)} | {' | '.join(cells)} |")
    lines += ["", "| case | client | why it differs, or is left out |", "|---|---|---|"]
    for name in LEVELS:
        for why, clients in _reasons(name, results).items():
            lines.append(f"| {name} | {', '.join(clients)} | {why} |")
    return "\n".join(lines) + "\n"


def _cell(name: str, client: Client, results: Results) -> str:
    shown = results.get((name, client))
    if not shown:
        return "left out"
    return "differs" if any(one.why for one in shown) else "yes"


def _seen(name: str, results: Results) -> str:
    """Return the results of the clients that pass the case."""
    seen = {one.seen for client in Client for one in results.get((name, client), ()) if not one.why}
    return " · ".join(sorted(seen)).replace("|", "\\|")


def _reasons(name: str, results: Results) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for client in Client:
        shown = results.get((name, client))
        whys = {one.why for one in shown if one.why} if shown else {LEFT_OUT[name, client]}
        for why in sorted(whys | PARTLY.get((name, client), set())):
            reasons.setdefault(why, []).append(client.value)
    return reasons


def with_table(text: str, results: Results) -> str:
    """Return the page with new tables."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + table(results) + END + after
