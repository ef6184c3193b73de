"""The start is one moment for all machines, however their clocks and their links differ."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path

from busy_machine import LATE_S
from host_cluster import Host, host_cluster

HOSTS = {"plain": Host(), "later": Host(monotonic_offset_s=5000), "far": Host(delay_ms=40, loss=0.01)}
STREAMS_EACH = 10


def test_streams_of_all_machines_open_over_the_same_time(tmp_path: Path) -> None:
    with host_cluster(tmp_path, HOSTS) as them:
        streams = STREAMS_EACH * len(HOSTS)
        done = them.bench("/load?rate=10", "-n", str(streams), "--ramp-up", "1s", "-z", "2s", "--no-preflight")
        assert (done.code, done.stderr) == (0, "")
        them.wait_for_streams(0)
        opened_s = defaultdict(list)
        for entry in them.requests():
            if entry["path"] == "/load":
                began_s = datetime.fromisoformat(entry["time"]).timestamp() - entry["duration_ms"] / 1000
                opened_s[entry["client"].partition(":")[0]].append(began_s)
    assert {len(times) for times in opened_s.values()} == {STREAMS_EACH}
    assert opened_s.keys() == {machine.address for machine in them.hosts.values()}
    firsts = [min(times) for times in opened_s.values()]
    # The first streams of the machines are a few hundredths of a second apart by plan, and one of them has a slow link.
    assert max(firsts) - min(firsts) < min(1.0, LATE_S)
    offsets_ms = {name: host["clock_offset_ms"] for name, host in done.hosts.items()}
    bounds_ms = {name: host["clock_bound_ms"] for name, host in done.hosts.items()}
    # They share the wall clock of this machine.
    assert all(abs(offsets_ms[name]) <= bounds_ms[name] for name in HOSTS), (offsets_ms, bounds_ms)
    assert bounds_ms["far"] >= 40
    assert done.report["streams"]["opened"] == streams
