from collections import Counter
from email.utils import formatdate

import pytest

from sseclient_cli.measure.response_heads import MAX_DIFFERENCES, ResponseHeads, usual_difference_s

NOW_S = 1_790_000_000
SECOND_NS = 10**9


@pytest.mark.parametrize(
    ("ahead_s", "expected_s"),
    [(0, 0), (0.9, 0), (-0.9, 0), (5, 5), (-5, -5), (300, 300), (-7200, -7200)],
)
@pytest.mark.parametrize("fraction_s", [0.0, 0.3, 0.999])
def test_the_date_header_gives_the_servers_clock(ahead_s: float, expected_s: int, fraction_s: float) -> None:
    heads = ResponseHeads()
    arrival_s = NOW_S + fraction_s
    date = formatdate(int(arrival_s + ahead_s), usegmt=True)
    heads.note_date(date, round(arrival_s * SECOND_NS))
    assert heads.server_less_client_ns == pytest.approx(expected_s * SECOND_NS, abs=SECOND_NS)
    if not expected_s:
        assert usual_difference_s(heads.date_differences_s) == 0


def test_a_delayed_head_does_not_shift_the_servers_clock() -> None:
    heads = ResponseHeads()
    date = formatdate(NOW_S, usegmt=True)
    heads.note_date(date, (NOW_S + 4) * SECOND_NS, 4 * SECOND_NS)
    assert heads.server_less_client_ns == 0
    assert usual_difference_s(heads.date_differences_s) == 0
    # The server cannot have created the Date before the request or after the arrival.
    heads.note_date(date, (NOW_S + 20) * SECOND_NS, 4 * SECOND_NS)
    assert heads.server_less_client_ns in (0, -15 * SECOND_NS, -16 * SECOND_NS)
    assert min(heads.date_differences_s) < -10


def test_the_most_frequent_difference_is_used() -> None:
    assert usual_difference_s(Counter({0: 90, 3600: 10})) == 0
    assert usual_difference_s(Counter({5: 90, -3600: 10})) == 5
    assert usual_difference_s(Counter()) == 0


@pytest.mark.parametrize("date", ["", "soon", "0", "Thu, 99 Sep 2026 14:13:20 GMT", "Mon, 21 Sep 2026 14:13:20"])
def test_an_invalid_date_is_ignored(date: str) -> None:
    heads = ResponseHeads()
    heads.note_date(date, NOW_S * SECOND_NS)
    assert heads.server_less_client_ns == 0
    assert not heads.date_differences_s


def test_the_number_of_kept_differences_is_limited() -> None:
    heads = ResponseHeads()
    for number in range(1000):
        heads.note_date(formatdate(NOW_S + 10 * number, usegmt=True), NOW_S * SECOND_NS)
    assert len(heads.date_differences_s) == MAX_DIFFERENCES
