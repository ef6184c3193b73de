from collections import Counter
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from golden import Golden
from rich.console import Console

from sseclient_cli.measure.histogram import Histogram
from sseclient_cli.render.latency_rows import NamedLatency
from sseclient_cli.render.terminal.latency_histogram import LEAST_WIDTH, LatencyHistogram
from sseclient_cli.report.distributions import Latency

SPREAD = {150: 30, 250: 900, 700: 300, 1_500: 60, 3_500: 5, 900_000: 1}


def delivery(counts_us: dict[int, int]) -> NamedLatency | None:
    histogram = Histogram()
    histogram.record(Counter(counts_us))
    latency = Latency.of(histogram, "kernel")
    return None if latency is None else NamedLatency("delivery", latency)


def lines_of(shown: NamedLatency | None, width: int = 80, caption: str = "") -> list[str]:
    console = Console(width=width, file=StringIO(), highlight=False)
    with console.capture() as captured:
        histogram = LatencyHistogram(shown, caption, 8, width)
        if histogram:
            console.print(histogram)
    return captured.get().splitlines()


def test_it_shows_delivery_with_bounds_bars_counts_and_shares(golden: Golden) -> None:
    golden("histogram", "\n".join(lines_of(delivery(SPREAD), width=52)))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_counts_and_shares_are_in_columns_at_any_width(width: int) -> None:
    head, *rows = lines_of(delivery(SPREAD), width)
    assert head.startswith("delivery  ms")
    assert len({len(line) for line in [head, *rows]}) == 1
    assert len(head) <= width
    counts = [int(row.split()[-3].replace(",", "")) for row in rows]
    assert sum(counts) == sum(SPREAD.values())
    bars = [row.count("█") for row in rows]
    assert bars.index(max(bars)) == counts.index(max(counts))


def test_a_caption_is_shown_if_it_fits_and_never_cut() -> None:
    caption = "from data.ts to the arrival (kernel timestamp)"
    assert caption in lines_of(delivery(SPREAD), 80, caption)[0]
    assert lines_of(delivery(SPREAD), 60, caption) == lines_of(delivery(SPREAD), 60)
    assert LatencyHistogram(delivery(SPREAD), caption, 8, 80).has_caption
    assert not LatencyHistogram(delivery(SPREAD), caption, 8, 60).has_caption


def test_it_is_not_shown_without_values_with_a_single_bin_or_on_a_very_narrow_terminal() -> None:
    assert lines_of(None) == []
    assert lines_of(delivery({700: 500})) == []
    assert lines_of(delivery(SPREAD), LEAST_WIDTH - 1) == []
    assert lines_of(delivery(SPREAD), LEAST_WIDTH) != []


def test_negative_delivery_has_a_row_of_its_own() -> None:
    row = lines_of(delivery({-3_500: 12, **SPREAD}))[1]
    assert row.split()[:2] == ["below", "0"]


def test_a_single_value_among_millions_has_a_visible_bar_and_a_share_above_zero() -> None:
    *_, last = lines_of(delivery({100: 5_000_000, 900_000: 1}))
    assert "▏" in last
    assert last.split()[-3:] == ["1", "<0.1", "%"]


def test_an_output_without_unicode_gets_plain_bars() -> None:
    file = TextIOWrapper(BytesIO(), encoding="ascii")
    console = Console(width=80, file=file, highlight=False)
    console.print(LatencyHistogram(delivery(SPREAD), "", 8, 80))
    file.flush()
    assert b"####" in file.buffer.getvalue()
