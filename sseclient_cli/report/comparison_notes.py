"""What limits a comparison: reports that differ in more than the target, and runs whose figures are partial. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sseclient_cli.report.llm_findings import held_back
from sseclient_cli.report.model import Report
from sseclient_cli.report.resampling import MIN_ROWS
from sseclient_cli.report.run_model import Host, Prompts, Run
from sseclient_cli.report.steady import Steady

_FIELDS = {
    "connections": "connections",
    "duration_s": "duration",
    "ramp_up_s": "ramp-up",
    "rate_per_s": "arrival rate",
    "arrivals": "arrivals",
    "warmup_s": "warm-up",
    "lifetime_s": "lifetime",
    "refill": "refill",
    "events": "events per stream",
    "on_end": "action at the end of a stream",
    "storm_s": "storm",
}


_PROMPTS = {
    "model": "model",
    "source": "source",
    "tokens": "tokens",
    "turns": "turns",
    "output_tokens": "limit of the answers",
}


def notes_on(reports: Sequence[Report], names: Sequence[str], steady: Sequence[Steady]) -> list[str]:
    """Return the notes on each report after the first, and on each partial run."""
    found = [note for place, report in enumerate(reports) for note in _of_run(report, names[place], steady[place])]
    for report, name in zip(reports[1:], names[1:], strict=True):
        found += _of_pair(reports[0], report, names[0], name)
    return found


def _of_run(report: Report, name: str, steady: Steady) -> Iterator[str]:
    if report.generator.saturated:
        yield f"{name}: the load generator was the bottleneck, so its latencies are not those of the target"
    if report.run.incomplete:
        yield f"{name}: the report is incomplete, because workers were lost"
    if report.run.interrupted:
        yield f"{name}: the run was interrupted"
    if any(finding.code == "host-clocks-differ" for finding in report.findings):
        yield f"{name}: the clocks of its hosts differ, and its delivery contains the difference"
    rows = len(steady.events_per_s)
    if rows < MIN_ROWS:
        yield (
            f"{name}: {rows or 'no'} full row{'' if rows == 1 else 's'} of the timeline after ramp-up and warm-up, and "
            f"the noise is known from {MIN_ROWS} on: run longer"
        )


def _of_pair(first: Report, second: Report, name: str, other: str) -> Iterator[str]:
    before, after = first.run, second.run
    if first == second:
        yield f"{name} and {other} are the same run"
    urls = before.target.url, after.target.url
    are_both_bundled = before.target.bundled_server and after.target.bundled_server
    if urls[0] != urls[1] and not are_both_bundled and urls != (name, other):
        yield f"the targets differ: {before.target.url} in {name}, {after.target.url} in {other}"
    for field, words in _FIELDS.items():
        ours, theirs = getattr(before.plan, field), getattr(after.plan, field)
        if ours != theirs:
            yield f"the plans differ: {words} {_value(ours)} in {name}, {_value(theirs)} in {other}"
    if before.plan.llm and after.plan.llm and before.plan.llm.slo != after.plan.llm.slo:
        yield f"the objectives of the goodput differ: {_slo(before)} in {name}, {_slo(after)} in {other}"
    yield from _of_prompts(before.target.prompts, after.target.prompts, name, other)
    formats = ", ".join(before.formats), ", ".join(after.formats)
    if all(formats) and set(before.formats) != set(after.formats):
        yield f"the formats differ: {formats[0]} in {name}, {formats[1]} in {other}"
    yield from _held_back(first, second, name, other)
    yield from _held_back(second, first, other, name)
    if before.workers != after.workers:
        yield f"the workers differ: {before.workers} in {name}, {after.workers} in {other}"
    yield from _of_hosts(before.hosts, after.hosts, name, other)
    if first.tool.version != second.tool.version:
        yield f"the versions differ: {first.tool.version} in {name}, {second.tool.version} in {other}"


def _of_hosts(before: list[Host], after: list[Host], name: str, other: str) -> Iterator[str]:
    ours, theirs = (
        [(host.system, host.machine, host.python, host.cpus) for host in hosts] for hosts in (before, after)
    )
    if set(ours) != set(theirs):
        yield f"{name} and {other} were measured on different machines or Python versions"
    elif len(ours) != len(theirs):
        yield f"the hosts differ: {len(ours):,} in {name}, {len(theirs):,} in {other}"
    corrected = [any(host.clock_corrected for host in hosts) for hosts in (before, after)]
    if corrected[0] != corrected[1]:
        yield f"the clocks of the hosts were corrected in {name if corrected[0] else other} only"


def _held_back(report: Report, other: Report, name: str, other_name: str) -> Iterator[str]:
    """Yield what an answer loses on the way to one target, if the other one sends its chunks one by one."""
    if report.llm is None or other.llm is None:
        return
    held, first, direct = held_back(report.llm), report.llm.first_token, other.llm.first_token
    if held is None or held_back(other.llm) is not None or first is None or direct is None:
        return
    later_ms = (first.p50_ms or 0) - (direct.p50_ms or 0)
    later = f", and the first token comes {later_ms:,.0f} ms later (median)" if later_ms > 0 else ""
    yield (
        f"something before {name} holds chunks back: they arrive {held['chunks']:,} at once after "
        f"{held['pause_ms']:,.0f} ms{later}; {other_name} sends them one by one"
    )


def _slo(run: Run) -> str:
    return (run.plan.llm and ", ".join(run.plan.llm.slo)) or "none"


def _of_prompts(before: Prompts | None, after: Prompts | None, name: str, other: str) -> Iterator[str]:
    if before is None or after is None:
        return
    for field, words in _PROMPTS.items():
        ours, theirs = getattr(before, field), getattr(after, field)
        if ours != theirs:
            yield f"the prompts differ: {words} {_value(ours)} in {name}, {_value(theirs)} in {other}"


def _value(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
