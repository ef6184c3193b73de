"""Compare load generators for LLMs on the same server: their figures, the log of the server, and their costs.

python -m benchmarks.llm [--quick] [--rounds 3] [--tools aiperf,vllm] [--slots 1,50,500] [--save two-core-vm]
python -m benchmarks.llm --install aiperf,guidellm,vllm,inference-perf
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.facts import facts
from benchmarks.llm_measuring import measure
from benchmarks.llm_tables import Form, markdown
from benchmarks.llm_task import Load
from benchmarks.llm_tools import Tool, tools
from benchmarks.measuring import Outcome
from benchmarks.packages import LLM_PACKAGES, install
from benchmarks.processes import cores, raise_open_files
from benchmarks.push_measuring import Cores
from benchmarks.saving import save, show_progress

ROUNDS, SECONDS = 3, 12.0
QUICK_ROUNDS, QUICK_SECONDS = 1, 3.0
FEWEST_PER_SLOT, FEWEST_REQUESTS = 2, 16
SLOTS = (1, 50, 500)

# The demo server's defaults: 64 tokens, the first one after 0.3 s, then one every 20 ms.
FIRST_S, TOKENS, RATE = 0.3, 64, 50
# At 500 x 50 tokens/s, the core of the demo server would be full, and its own delay would be most of the figures.
MANY, RATE_OF_MANY = 200, 10
FORMS = (
    Form("one token per chunk: 300 / 20 / 20", ""),
    Form("the role chunk at 50 ms: 300 / 20 / 20", "role_at=0.05"),
    Form("4 tokens per chunk: 300 / 80 / 19", "tokens_per_chunk=4"),
    Form("16 tokens of reasoning, then 48: 300 / 20 / 20", "reasoning=16&tokens=48"),
)
FORM_REQUESTS = 4


def main() -> None:
    """Run the command line."""
    options = _options()
    if options.install:
        install(options.install.split(","))
        return
    # So that the started processes end with this one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    usable = cores()
    if len(usable) < 2:
        raise SystemExit("benchmarks.llm needs two cores, one for the server and one for the load generator")
    raise_open_files()
    os.sched_setaffinity(0, {usable[0]})  # the tool has the other core to itself
    where = Cores(usable[0], usable[1])
    chosen = _chosen(options.tools)
    known = facts(("sseclient-cli", "uvloop", "httptools", "uvicorn", "fastapi"))
    known |= {package.name: package.missing() or package.version for package in LLM_PACKAGES}
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    seconds = QUICK_SECONDS if options.quick else SECONDS
    loads = {load_of(slots, seconds): _none(chosen) for slots in options.slots}
    for number in range(rounds):
        for load, outcomes in loads.items():
            # Interleaved, so that other load on the machine affects all tools alike.
            for tool in chosen:
                outcomes[tool.title].append(_measure(f"round {number + 1}/{rounds}", tool, load, where))
    forms = {form: _none(chosen) for form in FORMS} if options.forms else {}
    for form, outcomes in forms.items():
        for tool in chosen:
            outcomes[tool.title].append(_measure(form.title, tool, Load(1, FORM_REQUESTS, form.query), where))
    known["load after"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    text = markdown(chosen, loads, forms, known)
    print(text)
    if options.save:
        measured = {
            "loads": {load.title: _plain(outcomes) for load, outcomes in loads.items()},
            "forms": {form.title: _plain(outcomes) for form, outcomes in forms.items()},
        }
        save(f"{time.strftime('%Y-%m-%d')}-llm-{options.save}", text, {"facts": known, **measured})


def load_of(slots: int, seconds: float) -> Load:
    """Return a load that takes about this long."""
    rate = RATE_OF_MANY if slots >= MANY else RATE
    per_slot = max(round(seconds / (FIRST_S + TOKENS / rate)), FEWEST_PER_SLOT)
    return Load(slots, max(slots * per_slot, FEWEST_REQUESTS), f"rate={rate}")


def _none(chosen: Sequence[Tool]) -> dict[str, list[Outcome]]:
    return {tool.title: [] for tool in chosen}


def _plain(outcomes: dict[str, list[Outcome]]) -> dict[str, list[dict[str, object]]]:
    return {tool: [asdict(outcome) for outcome in found] for tool, found in outcomes.items()}


def _measure(where: str, tool: Tool, load: Load, on: Cores) -> Outcome:
    show_progress(f"{where}, {load.title}, {tool.title}")
    outcome = measure(tool, load, on)
    shown = ", ".join(f"{name} {value:,.4g}" for name, value in outcome.figures.items())
    show_progress("    " + "; ".join(text for text in (shown, outcome.note) if text))
    return outcome


def _chosen(names: str | None) -> list[Tool]:
    """Return the tools whose titles begin with these names, ours always first."""
    found = list(tools())
    if names is None:
        return found
    wanted = names.split(",")
    for name in wanted:
        if not any(tool.title.startswith(name) for tool in found):
            raise SystemExit(f"{name!r} is none of: {', '.join(tool.title for tool in found)}")
    return [found[0], *(tool for tool in found[1:] if tool.title.startswith(tuple(wanted)))]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.llm", description="Compare load generators for LLMs on the same server."
    )
    parser.add_argument("--quick", action="store_true", help="one round of few requests, for a first look")
    parser.add_argument("--rounds", type=int, help=f"number of rounds ({ROUNDS})")
    parser.add_argument("--tools", metavar="NAMES", help="only these and `sse bench`, with commas between")
    parser.add_argument(
        "--slots",
        metavar="COUNTS",
        default=SLOTS,
        type=lambda text: [int(count) for count in text.split(",") if count],
        help="concurrent requests, with commas between (1,50,500)",
    )
    parser.add_argument("--no-forms", dest="forms", action="store_false", help="leave out what counts as a token")
    parser.add_argument("--install", metavar="NAMES", help="install these tools, and end")
    parser.add_argument("--save", metavar="MACHINE", help="write the report to results/, with this name of the machine")
    return parser.parse_args()


if __name__ == "__main__":
    main()
