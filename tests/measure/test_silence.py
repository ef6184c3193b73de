import random

import pytest

from sseclient_cli.measure.silence import is_silent

SECOND_NS = 10**9


@pytest.mark.parametrize(
    ("idle_s", "events", "longest_pause_s", "active_s", "expected"),
    [
        pytest.param(11, 10, 0.1, 1, True, id="ten events a second, then none for 11 s"),
        pytest.param(0.9, 10, 0.01, 1, False, id="less than a second is too short"),
        pytest.param(55, 200, 15, 3000, False, id="a heartbeat every 15 s, missed three times"),
        pytest.param(61, 200, 15, 3000, True, id="a heartbeat every 15 s, missed four times"),
        pytest.param(26, 9, 0.5, 4, True, id="two events a second, then none for 26 s"),
        pytest.param(15, 9, 0.5, 4, False, id="too few pauses for a silence of 15 s"),
        pytest.param(60, 3, 0.05, 0.1, False, id="a snapshot of three events, then none"),
        pytest.param(60, 50, 0.001, 0.05, False, id="a snapshot of fifty events, then none"),
        pytest.param(60, 1, 0, 0, False, id="one event"),
        pytest.param(60, 0, 0, 0, False, id="no event, which is counted separately"),
    ],
)
def test_a_stream_is_silent_after_a_pause_much_longer_than_its_own(
    idle_s: float, events: int, longest_pause_s: float, active_s: float, expected: bool
) -> None:
    found = is_silent(
        round(idle_s * SECOND_NS), events, round(longest_pause_s * SECOND_NS), round(active_s * SECOND_NS)
    )
    assert found is expected


def test_random_intervals_are_not_silence() -> None:
    chance = random.Random(5)
    for _ in range(20_000):
        pauses = [chance.expovariate(1.0) for _ in range(chance.randrange(1, 40))]
        idle_ns = round(chance.expovariate(1.0) * SECOND_NS)
        longest_ns, active_ns = round(max(pauses) * SECOND_NS), round(sum(pauses) * SECOND_NS)
        assert not is_silent(idle_ns, len(pauses) + 1, longest_ns, active_ns)
