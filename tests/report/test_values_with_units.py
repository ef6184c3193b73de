"""Values with units, read for a figure and written in words."""

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.report.figures import figure_named
from sseclient_cli.report.quantities import RATIO, format_apart, format_value, parse_quantity


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("delivery.p99", "50ms", 50),
        ("delivery.p99", "50", 50),
        ("delivery.p99", "1.5s", 1500),
        ("delivery.p99", "200us", 0.2),
        ("delivery.p99", "200µs", 0.2),
        ("delivery.p99", "200μs", 0.2),
        ("delivery.p75", "3 ms", 3),
        ("run.duration", "500ms", 0.5),
        ("run.duration", "2m", 120),
        ("events.received", "10k", 10_000),
        ("events.received", "1.5M", 1_500_000),
        ("events.bytes", "64kB", 64_000),
        ("events.bytes", "64KiB", 65_536),
        ("events.bytes", "64k", 64_000),
        ("events.per_s", "4900/s", 4900),
        ("events.per_s", "4.9k/s", 4900),
        ("events.per_s", "4900", 4900),
        ("cpu.mean_percent", "80%", 80),
        ("cpu.mean_percent", "80", 80),
        ("reach.share", "0.99", 0.99),
        ("reach.share", "99%", 0.99),
        ("clocks.server_ahead", "-2s", -2),
    ],
)
def test_value_has_the_unit_of_its_figure(name: str, text: str, value: float) -> None:
    figure = figure_named(name)
    quantity = parse_quantity(text, figure)
    assert quantity.value == value
    assert quantity.unit == figure.unit


def test_percentage_of_a_part_is_a_share_of_the_whole() -> None:
    quantity = parse_quantity("0.5%", figure_named("streams.failed"))
    assert (quantity.value, quantity.unit) == (0.005, RATIO)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("delivery.p99", "50kB", "a time in ms: write it like 50ms"),
        ("delivery.p99", "5%", "a time in ms"),
        ("delivery.p99", "fast", "write it like 50ms"),
        ("delivery.p99", "", "write it like 50ms"),
        ("delivery.p99", "1m30s", "write it like 50ms"),
        ("events.bytes", "5ms", "a size in bytes: write it like 64kB"),
        ("events.per_s", "5ms", "a rate per second: write it like 4900/s"),
        ("events.received", "10/s", "a count: write it like 100 or 10k"),
        ("streams.failed", "10ms", "or 1%"),
        ("streams.reconnected", "1%", "a count: write it like 100 or 10k"),
        ("reach.share", "5k", "a share: write it like 99.9%"),
        ("cpu.mean_percent", "1ms", "a percentage: write it like 80%"),
    ],
)
def test_wrong_value_shows_how_to_write_it(name: str, text: str, words: str) -> None:
    with pytest.raises(UsageError, match="is not a value of") as raised:
        parse_quantity(text, figure_named(name))
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.2, "ms", "0.2 ms"),
        (4.2049, "ms", "4.205 ms"),
        (1500, "ms", "1.5 s"),
        (-1500, "ms", "-1.5 s"),
        (90, "s", "90 s"),
        (999, "bytes", "999 bytes"),
        (64_000, "bytes", "64 kB"),
        (2_400_000, "bytes", "2.4 MB"),
        (4900.44, "1/s", "4,900/s"),
        (0.0125, RATIO, "1.25 %"),
        (0, RATIO, "0 %"),
        (12.5, "%", "12.5 %"),
        (1_234_567, "", "1,234,567"),
        (0.00012, "", "0.00012"),
    ],
)
def test_value_is_written_with_its_unit(value: float, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


def test_two_values_that_differ_look_different() -> None:
    assert format_apart(50.000_04, 50, "ms") == ("50.00004 ms", "50 ms")
    assert format_apart(50, 50, "ms") == ("50 ms", "50 ms")
    assert format_apart(61.234_56, 50, "ms") == ("61.23 ms", "50 ms")
