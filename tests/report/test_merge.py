"""Two reports are added up as if one run had measured both."""

import socket
from typing import Any

import pytest
from hypothesis import given, settings
from random_totals import totals_of_a_worker
from report_json import built

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.reach import ReachSample
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.merge import merged, totals_of
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import from_json, to_json
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.arrivals import Arrivals
from sseclient_cli.run.plan import Plan


def report(totals: Totals, *, url: str = "http://h/x", started_at_s: float = 1_790_000_000, **plan: Any) -> Report:
    totals.reach = ReachSample()  # it compares moments of one clock
    hop = ResolvedTarget(Target(url=url), Address(socket.AF_INET, ("127.0.0.1", 80)))
    made = Plan(**{"connections": 2, "duration_s": 10, "ramp_up_s": 1, **plan})
    return built(made, (hop,), totals, started_at_s)


@settings(max_examples=30)
@given(totals_of_a_worker(), totals_of_a_worker())
def test_a_sum_of_reports_is_the_report_of_the_sum(a: Totals, b: Totals) -> None:
    if not a.hosts or not b.hosts:  # without a cluster, the report has the machine itself
        a.hosts, b.hosts = {}, {}
    first, second = report(a), report(b)
    together = merged(from_json(to_json(first), "a"), from_json(to_json(second), "b"))
    a.merge(b)
    whole = report(a, connections=4)
    assert together == whole.model_copy(update={"run": whole.run.model_copy(update={"reports": 2})})


@settings(max_examples=30)
@given(totals_of_a_worker())
def test_a_report_holds_all_that_was_measured(a: Totals) -> None:
    made = report(a)
    assert report(totals_of(from_json(to_json(made), "a"))) == made


def test_arrival_rates_are_added_and_a_report_without_one_leaves_none() -> None:
    first, second = (
        report(Totals(cpu_percent=[1.0]), connections=count, rate_per_s=rate, refill=False)
        for count, rate in ((2, 2.0), (5, 5.0))
    )
    together = merged(first, second).run.plan
    assert (together.connections, together.rate_per_s, together.ramp_up_s) == (7, 7.0, 1.0)
    older = second.model_copy(
        update={"run": second.run.model_copy(update={"plan": second.run.plan.model_copy(update={"rate_per_s": None})})}
    )
    assert merged(first, older).run.plan.rate_per_s is None


def test_random_arrivals_of_different_seeds_are_merged_without_a_seed() -> None:
    first, second = (
        report(
            Totals(cpu_percent=[1.0]),
            connections=2,
            rate_per_s=2.0,
            refill=False,
            arrivals=Arrivals.POISSON,
            seed=seed,
        )
        for seed in (1, 2)
    )
    together = merged(first, second).run.plan
    assert (together.arrivals, together.seed) == ("poisson", None)
    with pytest.raises(UsageError, match="arrivals is poisson and constant"):
        merged(first, report(Totals(cpu_percent=[1.0]), connections=2, rate_per_s=2.0, refill=False))


def test_prompts_of_different_seeds_are_merged_without_a_seed() -> None:
    one = report(Totals(cpu_percent=[1.0]))
    first, second = (
        one.model_copy(
            update={
                "run": one.run.model_copy(
                    update={"target": one.run.target.model_copy(update={"prompt_seed": seed}), "workers": workers}
                )
            }
        )
        for seed, workers in (("1", 1), ("2", 2))
    )
    assert merged(first, second).run.target.prompt_seed is None


def test_the_run_begins_with_the_first_and_machines_are_listed_once() -> None:
    early, late = report(Totals(cpu_percent=[1.0])), report(Totals(cpu_percent=[2.0]), started_at_s=1_790_000_009)
    together = merged(late, early)
    assert together.run.started_at == early.run.started_at
    assert (together.run.workers, len(together.run.hosts)) == (2, 1)


def test_hosts_with_one_name_add_up_and_a_machine_without_a_cluster_stays() -> None:
    first, second = (
        report(Totals(cpu_percent=[1.0], hosts={name: HostTotals(workers=1, opened=5) for name in names}))
        for names in (("node-2", "node-10"), ("node-2",))
    )
    together = merged(merged(first, second), report(Totals(cpu_percent=[1.0])))
    hosts = together.run.hosts
    assert [(host.name, host.workers, host.opened) for host in hosts] == [
        (None, None, None), ("node-2", 2, 10), ("node-10", 1, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://h/y"}, "the targets differ: url is http://h/x and http://h/y"),
        ({"ramp_up_s": 2.0}, "the plans differ: ramp_up_s is 1.0 and 2.0"),
        ({"sequence": Choice.NONE}, "the plans differ: sequence is auto and none"),
    ],
)
def test_runs_of_different_kinds_do_not_merge(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        merged(report(Totals(cpu_percent=[1.0])), report(Totals(cpu_percent=[1.0]), **changes))
