from typing import Any

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.measure.fanout_token import TokenReader
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.publish_plan import DEFAULT_TEMPLATE, PublishPlan, publish_plan


def planned(publish_rate_per_s: float = 5.0, template: str = DEFAULT_TEMPLATE, **plan: Any) -> PublishPlan:
    plan = {"connections": 100, "duration_s": 20.0, "ramp_up_s": 2.0, **plan}
    return publish_plan(
        Plan(**plan), run_id="0a1b2c3d", template=template, rate_per_s=publish_rate_per_s, command=("cat",)
    )


def test_events_begin_after_the_ramp_up_and_go_on_until_the_end() -> None:
    made = planned()
    assert (made.first_s, made.last_s, made.grace_s) == (2.5, 20.0, 1.0)
    assert made.planned == 88
    assert made.due_ns(1) == 2_500_000_000
    assert made.due_ns(made.planned) < 20_000_000_000 <= made.due_ns(made.planned + 1)


def test_latencies_of_the_warm_up_are_excluded_so_events_begin_after_it() -> None:
    assert planned(warmup_s=6.0).first_s == 6.5


@pytest.mark.parametrize("plan", [{"rate_per_s": 5.0, "ramp_up_s": 20.0, "refill": False}, {"lifetime_s": 3.0}])
def test_streams_that_open_during_the_whole_run_do_not_delay_the_first_event(plan: dict[str, Any]) -> None:
    assert planned(**plan).first_s == 0.5


def test_a_short_run_keeps_a_share_of_its_time_for_both_ends() -> None:
    made = planned(duration_s=1.0, ramp_up_s=0.0)
    assert (made.first_s, made.grace_s) == (0.1, 0.1)


def test_a_run_without_time_to_publish_is_refused() -> None:
    with pytest.raises(UsageError, match="no time to publish after 20 s"):
        planned(ramp_up_s=20.0)


def test_too_many_events_to_follow_are_refused() -> None:
    with pytest.raises(UsageError, match="too many to follow"):
        planned(publish_rate_per_s=1_000_000, duration_s=3600)


def test_the_size_of_a_body_does_not_depend_on_its_time() -> None:
    made = planned(template='{"n": {n}, "text": "{token} {token} {other}"}')
    body = made.body(12, 987_654_321)
    assert len(body) == len(made.body(12, 0))
    assert body.startswith(b'{"n": 12, "text": "sse-0a1b2c3d-0000012-')
    assert body.endswith(b' {other}"}')
    assert list(TokenReader("0a1b2c3d").read(body.decode())) == [(12, 987_654_321)]


def test_bytes_that_are_not_utf_8_are_sent_as_given() -> None:
    template = b"\xff{token}".decode("utf-8", "surrogateescape")
    assert planned(template=template).body(1, 0).startswith(b"\xffsse-")


def test_the_facts_of_a_command_leave_out_its_arguments() -> None:
    made = publish_plan(
        Plan(connections=1, duration_s=9, ramp_up_s=0), run_id="0a1b2c3d", template="{token}", rate_per_s=1,
        command=("redis-cli", "-a", "secret"),
    )  # fmt: skip
    assert made.facts().command == "redis-cli"
    assert "secret" not in str(made.facts())
