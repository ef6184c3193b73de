"""The table of the machines of a cluster, for the summary and the page: a row of texts for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sseclient_cli.render.quantities import milliseconds

if TYPE_CHECKING:
    from sseclient_cli.report.run_model import Host

COLUMNS = ("host", "workers", "opened", "events", "read delay p99", "CPU", "clock offset")
"""``clock offset`` is against the coordinator."""


def titles(hosts: Sequence[Host]) -> tuple[str, ...]:
    """Return the titles of the columns: they say whether the clocks were corrected by their offsets."""
    are_corrected = all(host.clock_corrected for host in hosts)
    return (*COLUMNS[:-1], "clock, corrected by") if are_corrected else COLUMNS


def named_hosts(hosts: Sequence[Host]) -> list[Host]:
    """Return the machines of a cluster if there are several."""
    named = [host for host in hosts if host.name is not None]
    return named if len(named) > 1 else []


def host_row(host: Host) -> tuple[str | None, ...]:
    """Return a text for each column; None was not measured. Callers escape the name."""
    workers, lost = host.workers or 0, host.workers_lost or 0
    cpu = busiest_percent(host)
    return (
        host.name,
        f"{workers - lost:,}/{workers:,}" if lost else f"{workers:,}",
        f"{host.opened or 0:,}/{host.planned or 0:,}",
        f"{host.events or 0:,}",
        None if host.read_delay_p99_ms is None else f"{milliseconds(host.read_delay_p99_ms)} ms",
        None if cpu is None else f"{cpu:.0f} %",
        _clock(host),
    )


def busiest_percent(host: Host) -> float | None:
    """Return the CPU of the host's busiest worker; None if unknown."""
    return max((each for each in host.cpu_percent or () if each is not None), default=None)


def _clock(host: Host) -> str | None:
    if host.clock_offset_ms is None:
        return None
    bound = "" if host.clock_bound_ms is None else f" ± {host.clock_bound_ms:.2f}"
    return f"{host.clock_offset_ms:+,.2f}{bound} ms"
