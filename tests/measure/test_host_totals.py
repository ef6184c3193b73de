"""The share of one machine in the results of a run."""

import pytest

from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.totals import Totals


def test_a_host_has_the_results_of_its_workers() -> None:
    totals = Totals(planned=9, opened=5, failed=1, events=70, bytes=700, cpu_percent=[7.0])
    totals.read_delay.record({30: 5})
    host = HostTotals.of(totals)
    host.merge(HostTotals.of(totals))
    assert (host.workers, host.planned, host.opened, host.failed) == (2, 18, 10, 2)
    assert (host.events, host.bytes, host.cpu_percent, host.read_delay.count) == (140, 1400, [7.0, 7.0], 10)
    assert totals.read_delay.count == 5, "a host's histogram is not that of the totals"


def test_hosts_with_one_name_add_up() -> None:
    totals = Totals(hosts={"a": HostTotals(workers=1, events=5), "b": HostTotals(events=2)})
    totals.merge(Totals(hosts={"a": HostTotals(workers=1, events=7), "c": HostTotals(events=1)}))
    assert {name: (host.workers, host.events) for name, host in totals.hosts.items()} == {
        "a": (2, 12), "b": (0, 2), "c": (0, 1),
    }  # fmt: skip


@pytest.mark.parametrize(("offsets", "merged"), [((None, 0), 0), ((0, None), 0), ((5, -9), -9), ((9, 5), 9)])
def test_the_larger_clock_offset_stays(offsets: tuple[int | None, int | None], merged: int) -> None:
    host = HostTotals(clock_offset_ns=offsets[0])
    host.merge(HostTotals(clock_offset_ns=offsets[1]))
    assert host.clock_offset_ns == merged


def test_clocks_are_corrected_only_if_both_runs_corrected_them() -> None:
    host = HostTotals()
    host.merge(HostTotals(is_corrected=True))
    host.merge(HostTotals())
    assert host.is_corrected
    host.merge(HostTotals(is_corrected=False))
    assert not host.is_corrected
