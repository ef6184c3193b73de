"""`sse bench --from report.json`: the run of an earlier report once more."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from demo_server_processes import demo_server_process

from sseclient_cli.cli.options.load import LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.request import ConnectionOptions, RequestOptions
from sseclient_cli.cli.repeating import Options, repeated
from sseclient_cli.cli.request import requested
from sseclient_cli.cli.schedule import plan_of
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.build import build_report
from sseclient_cli.report.read import to_json
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.run.spec import RunSpec

NO_LOAD, NO_MEASUREMENT, NO_REQUEST, NO_CONNECTION = (
    LoadOptions(), MeasurementOptions(), RequestOptions(), ConnectionOptions(),
)  # fmt: skip


def report_file(
    tmp_path: Path,
    load: LoadOptions,
    measurement: MeasurementOptions,
    target: Target,
    *,
    is_bundled_server: bool = False,
) -> str:
    """The file of a run with these options, in which all went well."""
    chain = (ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", 80))),)
    plan = plan_of(load, measurement)
    totals = Totals(planned=plan.planned, cpu_percent=[1.0, 2.0], duration_ns=10**9)
    file = tmp_path / "report.json"
    spec = RunSpec(target=target, plan=plan, is_bundled_server=is_bundled_server)
    file.write_text(to_json(build_report(spec, chain, totals, 0)), "utf-8")
    return str(file)


def from_file(file: str, url: str | None = None, **options: Any) -> Options:
    chosen = {
        "load": NO_LOAD,
        "measurement": NO_MEASUREMENT,
        "request": NO_REQUEST,
        "connection": NO_CONNECTION,
        **options,
    }
    return repeated(file, url, **chosen)


LOAD = LoadOptions(connections=7, duration_s=3.0, ramp_up_s=0.5, lifetime_s=1.5, events=9, storm_s=2.0)
MEASUREMENT = MeasurementOptions(warmup_s=0.25, timestamp="meta.at", sequence="id", fail_on_error_event=True)


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
    assert requested(options.url, options.request, options.connection) == target
    assert plan_of(options.load, options.measurement, options.connection) == plan_of(LOAD, MEASUREMENT)
    assert (options.load.workers, options.load.no_preflight, options.connection.proxy) == ("2", True, "")


def test_a_rate_stays_a_rate(tmp_path: Path) -> None:
    load = LoadOptions(rate_per_s=5.0, connections=20, hold_s=1.0)
    options = from_file(report_file(tmp_path, load, NO_MEASUREMENT, Target(url="http://h/")))
    assert plan_of(options.load, options.measurement) == plan_of(load, NO_MEASUREMENT)


def test_an_option_that_is_given_overrides_that_of_the_report(tmp_path: Path) -> None:
    file = report_file(tmp_path, LOAD, MEASUREMENT, Target(url="http://h/", headers=(("X-Kind", "a"), ("X-Tag", "b"))))
    options = from_file(
        file,
        "http://other/",
        load=LoadOptions(connections=70, rate_per_s=35.0),
        request=RequestOptions(headers=["x-kind: c"]),
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
        from_file(file, "http://h/?token=hush", request=RequestOptions(bearer="hush"))
    options = from_file(file, "http://h/?token=hush", request=RequestOptions(bearer="hush", cookie=["a=b"]))
    again = requested(options.url, options.request, options.connection)
    assert (again.url, dict(again.headers)) == (target.url, dict(target.headers))


def test_a_body_must_be_given_because_a_report_has_none(tmp_path: Path) -> None:
    file = report_file(tmp_path, NO_LOAD, NO_MEASUREMENT, Target.parse("http://h/", body="{}"))
    with pytest.raises(UsageError, match=r"does not contain the request body \(2 bytes\): give it with --data"):
        from_file(file)
    options = from_file(file, request=RequestOptions(data="{}"))
    assert requested(options.url, options.request, options.connection).body == b"{}"


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
