from dataclasses import fields
from typing import Any

import pytest
import typer

from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.llm import LlmOptions
from sseclient_cli.cli.options.load import MAX_REQUESTS_S, LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.values import parse_rate_per_s
from sseclient_cli.cli.schedule import plan_of, seeded
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.field_choice import Choice, Field
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.run.arrivals import Arrivals
from sseclient_cli.run.plan import OnEnd, Plan


def plan(**options: Any) -> Plan:
    def part_for(group: type[Any]) -> Any:
        return group(**{each.name: options.pop(each.name) for each in fields(group) if each.name in options})

    load, measurement = part_for(LoadOptions), part_for(MeasurementOptions)
    made = plan_of(load, measurement, part_for(ConnectionOptions), llm=part_for(LlmOptions))
    assert not options
    return made


def size(of: Plan) -> tuple[int, float, float]:
    return of.connections, of.duration_s, of.ramp_up_s


def test_without_options_it_is_a_hundred_streams_for_ten_seconds() -> None:
    assert size(plan()) == (100, 10, 0.1)


def test_opening_is_a_part_of_the_duration_and_comes_before_the_hold() -> None:
    assert size(plan(connections=50, duration_s=8, ramp_up_s=5)) == (50, 8, 5)
    assert size(plan(connections=50, hold_s=8, ramp_up_s=5)) == (50, 13, 5)
    # With a hold, opening takes as long as it takes: a thousand streams a second.
    assert size(plan(connections=20_000, hold_s=8)) == (20_000, 28, 20)


def test_a_rate_opens_streams_all_through_the_run_or_up_to_a_number() -> None:
    assert size(plan(rate_per_s=200.0)) == (2000, 10, 10)
    assert size(plan(rate_per_s=0.5, duration_s=3)) == (1, 3, 2)
    assert size(plan(rate_per_s=200.0, connections=400)) == (400, 10, 2)
    assert size(plan(rate_per_s=200.0, connections=400, hold_s=5)) == (400, 7, 2)


def test_a_number_of_requests_ends_the_run_and_bounds_the_slots() -> None:
    made = plan(requests=7, connections=3)
    assert (made.connections, made.requests, made.on_end, made.duration_s) == (3, 7, OnEnd.RESTART, MAX_REQUESTS_S)
    assert plan(requests=7).connections == 7
    assert plan(requests=7, duration_s=5).duration_s == 5


def test_requests_to_an_llm_follow_one_another_and_have_no_fields() -> None:
    made = plan(llm=LlmApi.AUTO, slo="first_token < 1s")
    assert (made.on_end, made.timestamp, made.sequence) == (OnEnd.RESTART, Choice.NONE, Choice.NONE)
    assert made.llm is not None
    assert list(map(str, made.llm.slo)) == ["first_token < 1000ms"]
    assert plan(llm=LlmApi.AUTO, sequence="id").sequence == Field()
    assert plan(llm=LlmApi.AUTO, on_end=OnEnd.STOP).on_end is OnEnd.STOP


def test_requests_at_a_rate_are_sent_once_each() -> None:
    made = plan(llm=LlmApi.AUTO, rate_per_s=5.0, requests=20, duration_s=60)
    assert (made.connections, made.ramp_up_s, made.on_end) == (20, 4, OnEnd.STOP)


def test_requests_to_an_llm_do_not_reconnect() -> None:
    with pytest.raises(UsageError, match="`on_end` must be stop or restart"):
        plan(llm=LlmApi.AUTO, on_end=OnEnd.RECONNECT)


def test_random_arrivals_have_the_size_of_the_rate_and_a_seed() -> None:
    made = plan(rate_per_s=20.0, arrivals=Arrivals.POISSON, seed=0)
    assert (size(made), made.arrivals, made.seed) == (size(plan(rate_per_s=20.0)), Arrivals.POISSON, 0)


def test_a_seed_is_drawn_once_and_only_for_random_arrivals() -> None:
    load = LoadOptions(rate_per_s=20.0, arrivals=Arrivals.POISSON)
    drawn = seeded(load)
    assert drawn.seed is not None
    assert seeded(drawn) is drawn
    assert len({seeded(load).seed for _ in range(9)}) > 1
    assert seeded(LoadOptions(rate_per_s=20.0)).seed is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arrivals": Arrivals.POISSON}, "--arrivals needs the rate of new streams: add --rate COUNT/s"),
        ({"rate_per_s": 5.0, "seed": 1}, "--seed needs random arrivals: add --arrivals poisson"),
        ({"rate_per_s": 5.0, "seed": 1, "arrivals": Arrivals.CONSTANT}, "--seed needs random arrivals"),
    ],
)
def test_arrivals_need_a_rate_and_a_seed_random_ones(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan(**options)


def test_only_streams_of_a_fixed_number_are_replaced() -> None:
    assert plan(lifetime_s=2).refill
    assert not plan(lifetime_s=2, rate_per_s=10.0).refill


def test_limits_of_a_stream_are_part_of_the_plan_and_above_zero() -> None:
    limited = plan(max_event_bytes=1000, idle_timeout_s=5.0)
    assert (limited.max_event_bytes, limited.idle_timeout_s) == (1000, 5)
    assert (plan().max_event_bytes, plan().idle_timeout_s) == (None, None)
    with pytest.raises(UsageError, match="`idle_timeout_s` must be above 0 s"):
        plan(idle_timeout_s=0.0)
    with pytest.raises(UsageError, match="`max_event_bytes` must be at least 1"):
        plan(max_event_bytes=0)


@pytest.mark.parametrize(
    "options",
    [
        {"duration_s": 1, "hold_s": 1},
        {"ramp_up_s": 1, "rate_per_s": 1},
        {"rate_per_s": 1, "hold_s": 1},
        {"rate_per_s": 1, "connections": 100},
    ],
    ids=str,
)
def test_options_that_exclude_each_other_are_a_usage_error(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        plan(**options)


@pytest.mark.parametrize(("text", "per_s"), [("200/s", 200), ("30/m", 0.5), ("36/h", 0.01), ("7", 7), (".5/s", 0.5)])
def test_a_rate_is_per_second_minute_or_hour(text: str, per_s: float) -> None:
    assert parse_rate_per_s(text) == pytest.approx(per_s)


@pytest.mark.parametrize("text", ["", "fast", "0", "0/s", "-1/s", "1/d", "/s", "9" * 400])
def test_an_invalid_rate_is_an_error(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a rate"):
        parse_rate_per_s(text)
