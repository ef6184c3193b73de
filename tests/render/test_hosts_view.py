"""The machines of a cluster in the summary, the live view and the page."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from golden import Golden
from live_runs import progress_at
from report_json import report_of
from rich.console import Console
from run_reports import host, usual_run

from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.render.html.page import page
from sseclient_cli.render.live.history import RunHistory
from sseclient_cli.render.live.panel import panel
from sseclient_cli.render.terminal.summary import summary
from sseclient_cli.report.model import Report

LONG_NAME = "ip-10-0-0-201.eu-central-1.compute.internal\x1b[31m"


def hosts(count: int) -> dict[str, HostTotals]:
    """Return machines, the second without its workers, the third with a wrong clock."""
    made = {f"node-{number}": host(number=number) for number in range(1, count + 1)}
    if count > 2:
        made |= {"node-2": host(lost=2), "node-3": host(offset_us=-3_600_512_250)}
    return made


def run(count: int, **others: HostTotals) -> Report:
    return report_of(usual_run(hosts=hosts(count) | others))


def printed(report: Report, width: int, *, shows_all_hosts: bool = False) -> str:
    text = StringIO()
    Console(file=text, width=width).print(summary(report, shows_all_hosts=shows_all_hosts))
    return text.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_summary_has_a_row_for_each_host(golden: Golden, width: int) -> None:
    report = run(3, **{LONG_NAME: host(cpu_percent=[97.0, 20.0])})
    golden(f"hosts-{width}", printed(report, width))


def test_a_run_on_one_host_has_no_table_of_hosts() -> None:
    assert "clock offset" not in printed(run(1), 80) + printed(report_of(usual_run()), 80)


def test_the_most_notable_of_many_hosts_are_shown_and_all_on_demand() -> None:
    report = run(40, busy=host(cpu_percent=[97.0]), failing=host(opened=3, failed=497))
    lines = printed(report, 80).splitlines()
    table = lines[next(place for place, line in enumerate(lines) if line.startswith("host ")) + 1 :][:13]
    assert {"node-2", "node-3", "busy", "failing"} < {line.split()[0] for line in table}
    assert table[12].startswith("and 30 more hosts:")
    text = printed(report, 80, shows_all_hosts=True)
    assert all(f"\nnode-{number} " in text for number in range(1, 41))
    assert "more hosts:" not in text


def test_corrected_clocks_have_their_own_title() -> None:
    report = report_of(usual_run(hosts={name: host(is_corrected=True) for name in "ab"}))
    assert "clock, corrected by" in printed(report, 80)


def test_the_page_has_a_table_of_hosts_and_groups_equal_machines() -> None:
    text = page(run(3))
    assert "<h2>Hosts</h2>" in text
    assert "3 hosts: Linux 6.18 on x86_64, 8 processors, Python 3.13.1" in text
    assert "<h2>Hosts</h2>" not in page(report_of(usual_run()))


def live_on(hosts: int, **settings: float) -> RunHistory:
    history = RunHistory()
    for quarter in range(1, 50):
        made = progress_at(quarter / 4, workers=2 * hosts, **settings)  # type: ignore[arg-type]
        made.workers = [replace(worker, host=f"node-{place // 2}") for place, worker in enumerate(made.workers)]
        history.add(made)
    return history


def live_text(history: RunHistory, width: int, height: int, *, shows_hosts: bool) -> str:
    return "\n".join(line.text() for line in panel(history, "http://h/x", width, height, shows_hosts=shows_hosts))


def test_the_live_view_has_a_row_for_each_host_on_demand() -> None:
    history = live_on(3)
    assert "node-" not in live_text(history, 80, 40, shows_hosts=False)
    text = live_text(history, 80, 40, shows_hosts=True)
    assert [line.split()[:4] for line in text.splitlines() if "node-" in line] == [
        [f"node-{number}", "61", "%", "━━━━━━━╸────"] for number in range(3)
    ]
    assert "worker 0" not in text


@pytest.mark.parametrize("width", [59, 79, 119, 199])
@pytest.mark.parametrize("height", [10, 20, 24, 50])
def test_the_rows_of_many_hosts_fit_into_the_terminal(width: int, height: int) -> None:
    lines = live_text(live_on(40), width, height, shows_hosts=True).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_a_busy_host_is_named_while_the_run_goes_on() -> None:
    text = live_text(live_on(1, cpu_percent=99.0), 100, 40, shows_hosts=False)
    assert "2 of 2 workers used up to 99 % of a core" in text
