import pytest

from sseclient_cli.load.silence import is_silent

SECOND_NS = 10**9


@pytest.mark.parametrize(
    ("idle_s", "events", "longest_pause_s", "usual_gap_s", "expected"),
    [
        pytest.param(11, 10, 0.1, None, True, id="ten events a second, and then none for 11 s"),
        pytest.param(0.9, 10, 0.1, None, False, id="less than a second is nothing"),
        pytest.param(55, 10, 15, None, False, id="a heartbeat every 15 s may be missed three times"),
        pytest.param(61, 10, 15, None, True, id="but not four times"),
        pytest.param(11, 1, 0, 0.1, True, id="one event, and the other streams have ten a second"),
        pytest.param(11, 1, 0, None, False, id="one event, and nothing to compare with"),
        pytest.param(11, 2, 5, 0.1, False, id="two events, far apart"),
        pytest.param(11, 0, 0, 0.1, False, id="no event at all is counted by itself"),
    ],
)
def test_a_stream_is_silent_when_it_has_never_been_quiet_for_so_long(
    idle_s: float, events: int, longest_pause_s: float, usual_gap_s: float | None, expected: bool
) -> None:
    usual_ns = None if usual_gap_s is None else round(usual_gap_s * SECOND_NS)
    assert is_silent(round(idle_s * SECOND_NS), events, round(longest_pause_s * SECOND_NS), usual_ns) is expected
