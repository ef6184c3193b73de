from sseclient_cli.run.gathering import CALM_TICKS, CONNECTING_NS, LONG_NS, SHORT_NS, Gathering


def after(ticks: list[tuple[int, int]], *, may_be_long: bool = True) -> int:
    gathering = Gathering(is_stamped=True, may_be_long=may_be_long)
    for events, sharing in ticks:
        gathering.note(events, sharing)
    return gathering.interval_ns(is_connecting=False)


CALM = (1000, 0)


def test_turns_get_longer_after_a_second_without_shared_reads() -> None:
    assert after([CALM] * (CALM_TICKS - 1)) == SHORT_NS
    assert after([CALM] * CALM_TICKS) == LONG_NS


def test_a_few_shared_reads_are_accepted_and_more_at_the_longer_interval() -> None:
    assert after([(1000, 2)] * CALM_TICKS) == LONG_NS
    assert after([(1000, 3)] * CALM_TICKS) == SHORT_NS
    assert after([CALM] * CALM_TICKS + [(1000, 10)]) == LONG_NS


def test_turns_get_short_again_with_the_first_tick_of_shared_reads() -> None:
    assert after([CALM] * CALM_TICKS + [(1000, 11)]) == SHORT_NS
    assert after([CALM] * CALM_TICKS + [(1000, 11)] + [CALM] * (CALM_TICKS - 1)) == SHORT_NS


def test_a_tick_without_events_proves_nothing() -> None:
    assert after([(0, 0)] * 100) == SHORT_NS
    assert after([CALM, (0, 0)] * CALM_TICKS) == LONG_NS


def test_loads_that_act_on_an_answer_keep_short_turns() -> None:
    assert after([CALM] * CALM_TICKS, may_be_long=False) == SHORT_NS


def test_turns_are_shortest_while_streams_connect() -> None:
    gathering = Gathering(is_stamped=True, may_be_long=True)
    for _ in range(CALM_TICKS):
        gathering.note(*CALM)
    assert gathering.interval_ns(is_connecting=True) == CONNECTING_NS


def test_without_kernel_timestamps_the_loop_does_not_wait_for_more() -> None:
    gathering = Gathering(is_stamped=False, may_be_long=True)
    for _ in range(CALM_TICKS):
        gathering.note(*CALM)
    assert gathering.interval_ns(is_connecting=False) == 0
