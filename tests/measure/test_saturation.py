from sseclient_cli.measure.host_totals import HostTotals
from sseclient_cli.measure.saturation import saturation_reasons
from sseclient_cli.measure.totals import Totals


def test_an_idle_load_generator_has_no_reasons() -> None:
    totals = Totals(cpu_percent=[35.0, None])
    totals.receive_queue.record({0: 790, 5000: 9, 100_000: 1})
    totals.read_delay.record({80: 1000})
    totals.loop_lag.record({1500: 50})
    assert saturation_reasons(totals) == []


def test_each_exceeded_limit_is_a_reason_with_its_value() -> None:
    totals = Totals(cpu_percent=[20.0, 99.2])
    totals.read_delay.record({120_000: 1000})
    totals.loop_lag.record({60_000: 50})
    totals.receive_queue.record({0: 700, 100_000: 100})
    assert saturation_reasons(totals) == [
        "worker 1 used 99 % of its core (limit 90 %)",
        "data waited 120 ms for its reader at p99 (limit 50 ms)",
        "timers fired 60 ms late at p99 (limit 50 ms)",
        "97 KiB waited in a socket for its reader at p99, which delays the server (limit 64 KiB)",
    ]


def test_one_or_two_outliers_of_a_short_run_are_not_saturation() -> None:
    totals = Totals(cpu_percent=[20.0])
    totals.loop_lag.record({500: 18, 80_000: 2})
    assert saturation_reasons(totals) == []
    totals.loop_lag.record({80_000: 1})
    assert saturation_reasons(totals) == ["timers fired 80 ms late at p99 (limit 50 ms)"]


def test_a_worker_keeps_its_number_when_an_earlier_one_was_lost() -> None:
    assert saturation_reasons(Totals(cpu_percent=[None, 95.0])) == ["worker 1 used 95 % of its core (limit 90 %)"]


def on_hosts(**cpu_percent: list[float | None]) -> Totals:
    totals = Totals(cpu_percent=[each for found in cpu_percent.values() for each in found])
    totals.hosts = {name: HostTotals(cpu_percent=found) for name, found in cpu_percent.items()}
    return totals


def test_busy_workers_of_a_cluster_are_named_by_their_hosts() -> None:
    assert saturation_reasons(on_hosts(a=[95.0, None, 97.0], b=[20.0])) == [
        "2 of 4 workers used up to 97 % of a core (limit 90 %) on a"
    ]
    assert saturation_reasons(on_hosts(a=[95.0], b=[91.0])) == ["2 of 2 workers used up to 95 % of a core (limit 90 %)"]
    many: dict[str, list[float | None]] = {f"node-{number}": [95.0] for number in range(5)}
    assert saturation_reasons(on_hosts(**many, idle=[1.0])) == [
        "5 of 6 workers used up to 95 % of a core (limit 90 %) on node-0, node-1, node-2 and 2 more hosts"
    ]


def test_a_host_that_reads_late_is_named_even_if_the_sum_of_all_hosts_hides_it() -> None:
    totals = on_hosts(a=[20.0], b=[20.0])
    totals.hosts["a"].read_delay.record({90: 1_000_000})
    totals.hosts["b"].read_delay.record({120_000: 100})
    for host in totals.hosts.values():
        totals.read_delay.merge(host.read_delay)
    assert saturation_reasons(totals) == ["data waited 120 ms for its reader at p99 (limit 50 ms) on b"]
    del totals.hosts["a"]
    totals.read_delay.merge(totals.hosts["b"].read_delay)
    assert saturation_reasons(totals) == []
