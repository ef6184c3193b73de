"""Builds the machines of a run on a cluster from its totals, and the totals of the machines from a report. Pure."""

from __future__ import annotations

import re
from dataclasses import fields

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.distributions import Durations
from sseclient_cli.report.model import Report
from sseclient_cli.report.run_model import Host

_SAME_NAMES = [each.name for each in fields(HostTotals) if each.name in {*Host.model_fields} - {"cpu_percent"}]


def hosts_of(totals: Totals) -> list[Host]:
    """Return the machines of a cluster by name, with numbers in their order; none without a cluster."""
    return [_host(name, totals.hosts[name]) for name in sorted(totals.hosts, key=by_number)]


def read_delays_of(totals: Totals) -> dict[str, Durations]:
    """Return the read delay of each machine that measured it."""
    delays = {name: Durations.of(host.read_delay) for name, host in totals.hosts.items()}
    return {name: delay for name, delay in sorted(delays.items()) if delay is not None}


def clock_uncertainty_ns(totals: Totals) -> int | None:
    """Return the largest error of a time between moments on two machines; None if it is unknown."""
    if len(totals.hosts) < 2:
        return 0
    bounds = [host.clock_bound_ns for host in totals.hosts.values()]
    known = [bound_ns for bound_ns in bounds if bound_ns is not None]
    return 2 * max(known) if len(known) == len(bounds) else None


def totals_of_hosts(report: Report) -> dict[str, HostTotals]:
    """Return the totals of the machines of a cluster that the report holds."""
    return {host.name: _totals(host, report.evidence.host_read_delays.get(host.name))
            for host in report.run.hosts if host.name is not None}  # fmt: skip


def _host(name: str, host: HostTotals) -> Host:
    p99_us = host.read_delay.percentiles_us([99])[99] if host.read_delay.count else None
    return Host(
        name=name,
        **{same: getattr(host, same) for same in _SAME_NAMES},
        cpu_percent=[None if percent is None else round(percent, 1) for percent in host.cpu_percent],
        read_delay_p99_ms=None if p99_us is None else p99_us / 1000,
        clock_offset_ms=_ms(host.clock_offset_ns),
        clock_bound_ms=_ms(host.clock_bound_ns),
        clock_corrected=host.is_corrected,
    )


def _totals(host: Host, read_delay: Durations | None) -> HostTotals:
    return HostTotals(
        **{same: getattr(host, same) for same in _SAME_NAMES},
        cpu_percent=list(host.cpu_percent or ()),
        read_delay=Histogram() if read_delay is None else read_delay.histogram(),
        clock_offset_ns=_ns(host.clock_offset_ms),
        clock_bound_ns=_ns(host.clock_bound_ms),
        is_corrected=host.clock_corrected,
    )


def by_number(name: str) -> list[tuple[str, int]]:
    """Return a sort key that puts node-2 before node-10."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"([^0-9]*)([0-9]*)", name)]


def _ms(time_ns: int | None) -> float | None:
    return None if time_ns is None else time_ns / 1e6


def _ns(time_ms: float | None) -> int | None:
    return None if time_ms is None else round(time_ms * 1e6)
