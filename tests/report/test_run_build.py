"""The figures of target and plan in a report are those of the run, each declared once."""

import socket
from dataclasses import fields
from typing import Any

import pytest
from report_json import built

from sseclient_cli.measure.totals import Totals
from sseclient_cli.report import run_model
from sseclient_cli.report.figure import Part
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.request.tls import Tls
from sseclient_cli.run.plan import OnEnd, Plan
from sseclient_cli.sse.stream_format import StreamFormat

NOT_REPORTED: dict[type[Any], dict[str, str]] = {
    Plan: {"first_slot": "the part of one worker", "stride": "the part of one worker"},
    Target: {
        "body": "may be a secret: body_bytes has its size",
        "messages": "may be secrets: message_count has their number",
        "tls": "its fields are figures of the target",
        "proxies": "chooses the proxy: proxy has its URL",
        "per_stream": "values_file, urls_file and run.urls",
        "shown_url": "url",
        "own_values": "values of one stream, perhaps secrets",
    },
    Tls: {"verify": "certificates_checked"},
}

PLAN = Plan(
    connections=20, duration_s=10, ramp_up_s=2e-6, rate_per_s=1e7, warmup_s=1, lifetime_s=2, refill=False, storm_s=3,
    events=4, on_end=OnEnd.RECONNECT, retry_statuses=frozenset({503, 429}), max_event_bytes=5, idle_timeout_s=6,
    counts_error_events=True,
)  # fmt: skip
TARGET = Target(
    url="http://h/", method="PUT", connect_timeout_s=7, head_timeout_s=8, connect_to=("h", 9),
    source_addresses=("127.0.0.2",), all_addresses=True, any_content_type=True, stream_format=StreamFormat.NDJSON,
    tls=Tls(ca_file="a", cert_file="c", key_file="k"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("source", "model"), [(Plan, run_model.Plan), (Target, run_model.Target), (Tls, run_model.Target)]
)
def test_each_field_of_plan_and_target_is_in_the_report_or_has_a_reason_not_to_be(
    source: type[Any], model: type[Part]
) -> None:
    names = {each.name for each in fields(source)}
    assert names - set(model.model_fields) == set(NOT_REPORTED[source])


def test_a_figure_has_the_value_of_the_field_with_its_name() -> None:
    hop = ResolvedTarget(TARGET, Address(socket.AF_INET, ("127.0.0.1", 9)))
    run = built(PLAN, (hop,), Totals(cpu_percent=[1.0]), 0).run
    for source, part in ((PLAN, run.plan), (TARGET, run.target), (TARGET.tls, run.target)):
        for each in fields(source):
            value, figure = getattr(source, each.name), getattr(part, each.name, None)
            if each.name in NOT_REPORTED[type(source)] or each.name in ("timestamp", "sequence"):
                continue
            assert figure == {
                "on_end": "reconnect", "stream_format": "ndjson",
                "retry_statuses": [429, 503], "source_addresses": ["127.0.0.2"], "headers": []
            }.get(each.name, value), each.name  # fmt: skip
    assert (run.plan.timestamp.asked, run.plan.sequence.asked) == ("auto", "auto")
    assert run.target.certificates_checked
