"""`sse bench --from report.json`: the run of an earlier report once more."""

import json
import socket
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import typer
from certificates import Authority
from demo_server_processes import demo_server_process
from typer.testing import CliRunner

from sseclient_cli.cli.options.bad_clients import BadClientOptions, Slow
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.grouped import grouped, is_given
from sseclient_cli.cli.options.llm import LlmRequestOptions
from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.per_stream import PerStreamOptions
from sseclient_cli.cli.options.publishing import PublishOptions
from sseclient_cli.cli.options.request import StreamRequestOptions
from sseclient_cli.cli.repeating import repeated
from sseclient_cli.cli.request import requested
from sseclient_cli.cli.run_options import RunOptions
from sseclient_cli.cli.schedule import plan_of
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.report.build import build_report
from sseclient_cli.report.read import to_json
from sseclient_cli.request.llm_body import LlmBodies
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.prompts import ListedPrompts, Prompt, Prompts, PromptSource, SyntheticPrompts
from sseclient_cli.request.proxied import through_given_proxy
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.request.token_count import TokenCount
from sseclient_cli.request.urls_file import WeightedUrl
from sseclient_cli.run.arrivals import Arrivals
from sseclient_cli.run.bad_clients import Share
from sseclient_cli.run.plan import OnEnd
from sseclient_cli.run.spec import RunSpec
from sseclient_cli.sse.stream_format import StreamFormat

GROUPS: list[type[Any]] = [LoadOptions, MeasurementOptions, StreamRequestOptions, ConnectionOptions, BadClientOptions]
NO_LOAD, NO_MEASUREMENT, NO_REQUEST, NO_CONNECTION, NO_BAD = (
    LoadOptions(), MeasurementOptions(), StreamRequestOptions(), ConnectionOptions(), BadClientOptions(),
)  # fmt: skip


def report_file(
    tmp_path: Path,
    load: LoadOptions,
    measurement: MeasurementOptions,
    target: Target,
    connection: ConnectionOptions = NO_CONNECTION,
    bad: BadClientOptions = NO_BAD,
    *,
    is_bundled_server: bool = False,
) -> str:
    """The file of a run with these options, in which all went well."""
    chain = (ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", 80))),)
    plan = plan_of(load, measurement, connection, bad)
    totals = Totals(planned=plan.planned, cpu_percent=[1.0, 2.0], duration_ns=10**9)
    file = tmp_path / "report.json"
    spec = RunSpec(target=target, plan=plan, is_bundled_server=is_bundled_server)
    file.write_text(to_json(build_report(spec, chain, totals, 0)), "utf-8")
    return str(file)


def from_file(file: str, url: str | None = None, **options: Any) -> RunOptions:
    no_values, no_publish = PerStreamOptions(), PublishOptions()
    given = RunOptions(url, NO_LOAD, NO_MEASUREMENT, NO_BAD, NO_REQUEST, no_values, NO_CONNECTION, no_publish)
    return repeated(file, given._replace(**options))


LOAD = LoadOptions(connections=7, duration_s=3.0, ramp_up_s=0.5, lifetime_s=1.5, events=9, storm_s=2.0)
MEASUREMENT = MeasurementOptions(warmup_s=0.25, timestamp="meta.at", sequence="id", fail_on_error_event=True)


def test_values_that_were_derived_are_derived_again_from_what_is_given(tmp_path: Path) -> None:
    closed = report_file(
        tmp_path, LoadOptions(connections=200, duration_s=5.0), NO_MEASUREMENT, Target(url="http://h/")
    )
    more = from_file(closed, load=LoadOptions(connections=1500, duration_s=6.0)).load
    assert plan_of(more, NO_MEASUREMENT).ramp_up_s == 1.5
    shorter = from_file(closed, load=LoadOptions(duration_s=0.1)).load
    assert plan_of(shorter, NO_MEASUREMENT).ramp_up_s == 0.025
    opened = report_file(
        tmp_path, LoadOptions(rate_per_s=20.0, duration_s=3.0), NO_MEASUREMENT, Target(url="http://h/")
    )
    assert plan_of(from_file(opened, load=LoadOptions(rate_per_s=40.0)).load, NO_MEASUREMENT).connections == 120


def test_target_and_plan_are_those_of_the_report(tmp_path: Path) -> None:
    target = Target.parse(
        "https://h:8443/x?a=1",
        method="PUT",
        headers=["X-Kind: a: b", "Accept: text/plain"],
        connect_to="[::1]:9",
        source_address="127.0.0.2,127.0.0.3",
        timeout_s=4,
        insecure=True,
        any_content_type=True,
    )
    options = from_file(report_file(tmp_path, LOAD, MEASUREMENT, target))
    assert requested(options.url or "", options.request, options.connection) == target
    assert plan_of(options.load, options.measurement, options.connection) == plan_of(LOAD, MEASUREMENT)
    assert (options.load.workers, options.load.no_preflight, options.connection.proxy) == ("2", True, "")


@pytest.mark.parametrize(
    "load",
    [
        LoadOptions(rate_per_s=5.0, connections=20, hold_s=1.0),
        LoadOptions(rate_per_s=1e6, connections=2),
        LoadOptions(rate_per_s=0.05),
        LoadOptions(rate_per_s=37.3, duration_s=30.0),  # 1119 / 37.3 > 30
        LoadOptions(rate_per_s=3.0, connections=7, lifetime_s=1.0),
        LoadOptions(rate_per_s=20.0, arrivals=Arrivals.POISSON, seed=0),
    ],
    ids=str,
)
def test_a_rate_stays_a_rate(tmp_path: Path, load: LoadOptions) -> None:
    options = from_file(report_file(tmp_path, load, NO_MEASUREMENT, Target(url="http://h/")))
    assert (options.load.rate_per_s, options.load.ramp_up_s) == (load.rate_per_s, None)
    assert plan_of(options.load, options.measurement) == plan_of(load, NO_MEASUREMENT)


@pytest.mark.parametrize(
    "given", [LoadOptions(arrivals=Arrivals.CONSTANT), LoadOptions(ramp_up_s=1.0), LoadOptions(seed=5)], ids=str
)
def test_random_arrivals_can_be_changed(tmp_path: Path, given: LoadOptions) -> None:
    load = LoadOptions(rate_per_s=20.0, arrivals=Arrivals.POISSON, seed=4)
    made = plan_of(
        from_file(report_file(tmp_path, load, NO_MEASUREMENT, Target(url="http://h/")), load=given).load, NO_MEASUREMENT
    )
    assert made.seed == given.seed
    assert made.arrivals is (Arrivals.CONSTANT if given.seed is None else Arrivals.POISSON)


@pytest.mark.parametrize(("ramp_up_s", "rate_per_s"), [(0.5, 4.0), (0.0, 4000.0)])
def test_an_older_report_without_a_rate_is_repeated_with_that_of_its_ramp_up(
    tmp_path: Path, ramp_up_s: float, rate_per_s: float
) -> None:
    file = report_file(tmp_path, LoadOptions(rate_per_s=1e6, connections=2), NO_MEASUREMENT, Target(url="http://h/"))
    older = json.loads(Path(file).read_text("utf-8"))
    del older["run"]["plan"]["rate_per_s"]
    older["run"]["plan"]["ramp_up_s"] = ramp_up_s
    Path(file).write_text(json.dumps(older), "utf-8")
    options = from_file(file)
    assert (options.load.rate_per_s, options.load.ramp_up_s) == (rate_per_s, None)
    assert not plan_of(options.load, options.measurement).refill


def typed(*arguments: str) -> dict[str, Any]:
    """Return the options of a command line by group, as `sse bench` gets them."""
    groups: dict[str, Any] = {}

    def command(
        *,
        load: LoadOptions,
        measurement: MeasurementOptions,
        request: StreamRequestOptions,
        connection: ConnectionOptions,
    ) -> int:
        groups.update(load=load, measurement=measurement, request=request, connection=connection)
        return 0

    cli = typer.Typer()
    cli.command()(grouped(command))
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    return groups


@pytest.mark.parametrize(
    ("group", "name", "arguments", "value"),
    [
        ("load", "on_end", ["--on-end", "stop"], OnEnd.STOP),
        ("load", "workers", ["--workers", "auto"], "auto"),
        ("load", "connections", ["-n", "100"], 100),
        ("load", "duration_s", ["-z", "10s"], 10.0),
        ("load", "ramp_up_s", ["--ramp-up", "0s"], 0.0),
        ("measurement", "warmup_s", ["--warmup", "0s"], 0.0),
        ("measurement", "timestamp", ["--timestamp", "auto"], "auto"),
        ("measurement", "sequence", ["--sequence", "auto"], "auto"),
        ("connection", "retry_statuses", ["--retry-status", ""], ""),
        ("connection", "proxy", ["--proxy", ""], ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_option_that_is_given_with_its_default_overrides_that_of_the_report(
    tmp_path: Path, group: str, name: str, arguments: list[str], value: object
) -> None:
    load = replace(LOAD, on_end=OnEnd.RECONNECT)
    file = report_file(tmp_path, load, MEASUREMENT, Target(url="http://h/"), ConnectionOptions(retry_statuses="503"))
    before, after = from_file(file, **typed()), from_file(file, **typed(*arguments))
    assert getattr(getattr(after, group), name) == value
    if name != "proxy":
        assert getattr(getattr(before, group), name) != value
    plan_of(after.load, after.measurement, after.connection)


@pytest.mark.parametrize("group", GROUPS)
def test_no_option_can_be_given_with_the_value_of_one_that_is_not(group: type[Any]) -> None:
    assert {each.name for each in fields(group) if each.default is not None and each.default is not False} == set()


NOT_REPEATED = {
    "from_file": "names the report",
    "against": "a report has one target",
    "hold_s": "the report has the duration, which contains it",
    "data": "the report has only the size of the body",
    "messages": "may be secrets: the report has their number",
    "bearer": "a secret",
    "bearer_env": "a secret",
    "user": "a secret",
    "cookie": "a secret",
    "compressed": "a header of the report",
    "strict": "judges the run, and is no part of it",
    "max_failed_percent": "judges the run, and is no part of it",
}


def test_each_option_is_repeated_or_has_a_reason_not_to_be(tmp_path: Path, authority: Authority) -> None:
    cert_file, key_file = authority.client()
    request = StreamRequestOptions(
        method="PUT",
        headers=["X-Kind: a: b", "Accept: text/plain"],
        any_content_type=True,
        stream_format=StreamFormat.AUTO,
    )
    load = replace(LOAD, on_end=OnEnd.RECONNECT, all_addresses=True, no_preflight=True, workers="2")
    limits = ConnectionOptions(timeout_s=4.0, idle_timeout_s=5.0, max_event_bytes=6, retry_statuses="429,503", proxy="")
    runs = [
        (
            replace(load, streams_per_connection=20),
            replace(limits, insecure=True, connect_to="[::1]:9", source_address="127.0.0.2,127.0.0.3", http2=True),
        ),
        (
            LoadOptions(
                connections=7,
                duration_s=3.0,
                rate_per_s=5.0,
                arrivals=Arrivals.POISSON,
                seed=3,
                workers="2",
                no_preflight=True,
            ),
            ConnectionOptions(
                ca_file=authority.file, cert_file=cert_file, key_file=key_file, unix_socket="/s", proxy=""
            ),
        ),
        (replace(load, storm_s=None, requests=50), replace(limits, proxy="http://127.0.0.1:3128")),
    ]
    few, many = Share(1, is_percent=False), Share(12.5, is_percent=True)
    bad_clients = BadClientOptions(slow=Slow(many, 1500), vanish=few, abrupt=few, half_request=few, bad_at_s=1.25)
    measurement = replace(MEASUREMENT, timestamp="data.meta.at")
    repeated_names = set()
    for load, connection in runs:
        target = through_given_proxy(requested("https://h/", request, connection), connection.proxy)
        target = replace(target, all_addresses=load.all_addresses)
        bad = BadClientOptions() if load.storm_s else bad_clients
        options = from_file(report_file(tmp_path, load, measurement, target, connection, bad))
        for given, group in (
            (load, options.load), (measurement, options.measurement), (request, options.request),
            (connection, options.connection), (bad, options.bad),
        ):  # fmt: skip
            names = {each.name for each in fields(group) if is_given(getattr(given, each.name))}
            assert {name: getattr(group, name) for name in names} == {name: getattr(given, name) for name in names}
            repeated_names |= names
    every = {each.name for group in GROUPS for each in fields(group)}
    assert every - repeated_names == set(NOT_REPEATED)


def test_statuses_to_retry_are_left_out_with_streams_that_do_not_reconnect(tmp_path: Path) -> None:
    load = replace(LOAD, on_end=OnEnd.RECONNECT)
    file = report_file(tmp_path, load, MEASUREMENT, Target(url="http://h/"), ConnectionOptions(retry_statuses="503"))
    assert from_file(file).connection.retry_statuses == "503"
    options = from_file(file, load=LoadOptions(on_end=OnEnd.RESTART))
    assert plan_of(options.load, options.measurement, options.connection).retry_statuses == frozenset()


def test_an_option_that_is_given_overrides_that_of_the_report(tmp_path: Path) -> None:
    file = report_file(tmp_path, LOAD, MEASUREMENT, Target(url="http://h/", headers=(("X-Kind", "a"), ("X-Tag", "b"))))
    options = from_file(
        file,
        "http://other/",
        load=LoadOptions(connections=70, rate_per_s=35.0),
        request=StreamRequestOptions(headers=["x-kind: c"]),
    )
    assert options.url == "http://other/"
    assert (options.load.connections, options.load.rate_per_s, options.load.ramp_up_s) == (70, 35.0, None)
    assert options.load.duration_s == 3.0
    assert options.request.headers == ["x-kind: c", "X-Tag: b"]


def test_secrets_missing_from_the_report_are_required_and_used(tmp_path: Path) -> None:
    target = Target.parse("http://h/?token=hush", headers=["Cookie: a=b"], bearer="hush")
    file = report_file(tmp_path, NO_LOAD, NO_MEASUREMENT, target)
    with pytest.raises(UsageError, match=r"hides a secret in the URL http://h/\?token=REDACTED: give the URL"):
        from_file(file)
    with pytest.raises(UsageError, match="hides the value of the header Cookie"):
        from_file(file, "http://h/?token=hush", request=StreamRequestOptions(bearer="hush"))
    options = from_file(file, "http://h/?token=hush", request=StreamRequestOptions(bearer="hush", cookie=["a=b"]))
    again = requested(options.url or "", options.request, options.connection)
    assert (again.url, dict(again.headers)) == (target.url, dict(target.headers))


def test_a_body_must_be_given_because_a_report_has_none(tmp_path: Path) -> None:
    file = report_file(tmp_path, NO_LOAD, NO_MEASUREMENT, Target.parse("http://h/", body="{}"))
    with pytest.raises(UsageError, match=r"does not contain the request body \(2 bytes\): give it with --data"):
        from_file(file)
    options = from_file(file, request=StreamRequestOptions(data="{}"))
    assert requested(options.url or "", options.request, options.connection).body == b"{}"


@pytest.mark.parametrize(
    ("text", "words"), [(None, "cannot read the report"), ("{}", "is not a report"), ("x", "not JSON")]
)
def test_a_file_that_is_not_a_report_is_an_error(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "report.json"
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=words):
        from_file(str(file))


def test_a_run_is_repeated_from_its_report(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with demo_server_process() as server:
        for arguments in (
            [f"{server}/load", "-n", "4", "-z", "1s", "--ramp-up", "0.2s", "--json", str(first)],
            ["--from", str(first), "--json", str(second)],
        ):
            subprocess.run([sys.executable, "-m", "sseclient_cli", "bench", *arguments], check=True)
    before, after = (json.loads(file.read_text("utf-8"))["run"] for file in (first, second))
    for run in (before, after):
        for field in ("timestamp", "sequence"):
            run["plan"][field] = run["plan"][field]["asked"]
    assert (after["plan"], after["target"]) == (before["plan"], before["target"])


def test_a_run_of_the_bundled_server_starts_it_again(tmp_path: Path) -> None:
    target = Target(url="http://127.0.0.1:40123/faults?drop=5")
    assert from_file(report_file(tmp_path, NO_LOAD, NO_MEASUREMENT, target)).url == target.url
    bundled = report_file(tmp_path, NO_LOAD, NO_MEASUREMENT, target, is_bundled_server=True)
    assert from_file(bundled).url == "demo/faults?drop=5"


def test_a_run_without_a_url_or_a_report_says_what_is_missing() -> None:
    done = subprocess.run([sys.executable, "-m", "sseclient_cli", "bench"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the URL of a stream is missing" in done.stderr


def _asked(prompts: Prompts, **parts: Any) -> Target:
    bodies = LlmBodies(api=LlmApi.OPENAI_CHAT, prompts=prompts, seed="7", **parts)
    return with_values([Target.parse("http://h/", method="POST")], [WeightedUrl("http://h/")], llm=bodies)


def test_prompts_of_a_length_are_repeated_with_other_words(tmp_path: Path) -> None:
    target = _asked(SyntheticPrompts(TokenCount(50, 5), "7"), model="m", output=TokenCount(9))
    file = report_file(tmp_path, LOAD, MEASUREMENT, target)
    expected = LlmRequestOptions(model="m", prompt_tokens=TokenCount(50, 5), output_tokens=TokenCount(9))
    assert from_file(file).llm_requests == expected
    given = LlmRequestOptions(prompt="Hi")
    assert from_file(file, llm_requests=given).llm_requests == replace(expected, prompt="Hi", prompt_tokens=None)


@pytest.mark.parametrize(
    ("target", "given", "option"),
    [
        (_asked(ListedPrompts((Prompt(("Hi",)),), PromptSource.TEXT)), LlmRequestOptions(prompt="Hi"), "--prompt"),
        (_asked(SyntheticPrompts(TokenCount(5), "7"), system="s"), LlmRequestOptions(system="s"), "--system"),
        (
            _asked(SyntheticPrompts(TokenCount(5), "7"), extra={"a": 1}),
            LlmRequestOptions(extra_body="{}"),
            "--extra-body",
        ),
    ],
    ids=["prompt", "system", "extra"],
)
def test_texts_of_a_prompt_are_not_in_a_report(
    tmp_path: Path, target: Target, given: LlmRequestOptions, option: str
) -> None:
    file = report_file(tmp_path, LOAD, MEASUREMENT, target)
    with pytest.raises(UsageError, match=f"does not contain .*{option}"):
        from_file(file)
    from_file(file, llm_requests=given)
