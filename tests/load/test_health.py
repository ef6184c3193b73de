from sseclient_cli.load.health import saturation_reasons
from sseclient_cli.load.metrics import Totals


def test_a_quiet_generator_has_no_reasons() -> None:
    totals = Totals(cpu_percent=[35.0])
    totals.read_delay.record({80: 1000})
    totals.loop_lag.record({1500: 50})
    assert saturation_reasons(totals) == []


def test_each_limit_that_is_broken_is_named_with_its_number() -> None:
    totals = Totals(cpu_percent=[20.0, 99.2])
    totals.read_delay.record({120_000: 1000})
    totals.loop_lag.record({60_000: 50})
    assert saturation_reasons(totals) == [
        "worker 1 used 99 % of its core (limit 90 %)",
        "data waited 120 ms for its reader at p99 (limit 50 ms)",
        "timers fired 60 ms late at p99 (limit 50 ms)",
    ]
