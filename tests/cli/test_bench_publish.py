"""`sse bench --publish` against real servers: reach, delay and names are those of the server's own counts."""

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench_documents import bench
from demo_server_processes import demo_server_process, serving
from in_process import InProcess
from real_processes import SSE, json_of, streams_open, until
from real_servers import serving_app

CURL = """
import sys, urllib.request
for line in sys.stdin:
    urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=line.rstrip().encode(), method="POST"))
"""


@pytest.fixture(name="server", scope="module")
def demo_server() -> Iterator[str]:
    with demo_server_process("127.0.0.1") as url:
        yield url


def findings(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["code"]: finding["figures"] for finding in document["findings"]}


def test_a_complete_fan_out_reaches_all_streams_of_several_workers(server: str, tmp_path: Path) -> None:
    url = f"{server}/channels/complete"
    document, summary = bench(
        url, "-n", "40", "--workers", "2", "-z", "3s", "--publish", url, "--publish-rate", "10/s",
        "--assert", "fanout.reach == 100%", "--assert", "fanout.missed == 0", "--assert", "fanout.delay.p99 < 60s",
        "--assert", "fanout.spread.p99 < 60s", "-o", str(tmp_path / "page.html"),
    )  # fmt: skip
    fanout = document["fanout"]
    publisher = fanout["publisher"]
    assert publisher["planned"] >= publisher["published"] >= fanout["events"] == fanout["reached_all"] > 10
    assert publisher["failed"] == 0
    assert fanout["streams"] == fanout["complete_streams"] == 40
    # On a busy machine, some streams may open after the first events.
    assert 10 * 40 < fanout["received"] == fanout["expected"] <= 40 * fanout["events"]
    assert fanout["duplicated"] == fanout["out_of_order"] == fanout["unconfirmed"] == 0
    assert fanout["delay"]["count"] + fanout["untimed"] >= fanout["received"]
    assert {each["stream"] for each in fanout["slowest_streams"]} <= set(range(40))
    assert document["reach"] is None
    assert not {code for code in findings(document) if code.startswith("fanout")}
    assert "100 % reach" in summary
    assert "Fan-out" in (tmp_path / "page.html").read_text()


def test_losses_and_delays_are_those_of_the_server() -> None:
    with serving_app("lossy") as url:
        document, summary = bench(
            url, "-n", "40", "-z", "4s", "--ramp-up", "0.2s", "--warmup", "1.5s", "--no-preflight", "--publish", url,
            "--publish-rate", "10/s", "--assert", "fanout.reach == 100%", code=1,
        )  # fmt: skip
        truth = httpx.get(f"{url}/truth").json()
    fanout = document["fanout"]
    # The events of the last moments are published, and are not expected any more.
    lost = [truth["lost"][str(number)] for number in range(1, fanout["events"] + 1)]
    assert fanout["missed"] == sum(lost) > 0
    assert fanout["received"] + sum(lost) == fanout["expected"] == 40 * fanout["events"]
    assert len(fanout["incomplete_streams"]) == truth["losing"] == 4
    assert fanout["complete_streams"] == 36
    assert {each["expected"] - each["received"] for each in fanout["incomplete_streams"]} == {sum(lost) / 4}
    assert {each["received"] for each in fanout["incomplete_events"]} == {36}
    assert fanout["delay"]["min_ms"] * 1e6 >= truth["least_delay_ns"] >= 190_000_000  # timers end up to 1 ms early
    assert findings(document)["fanout-missed"]["incomplete"] == 4
    named = ", ".join(str(each["stream"]) for each in fanout["incomplete_streams"])
    assert f"on 4 of 40 streams: {named}." in summary


def test_a_fan_out_within_each_of_two_processes_is_named() -> None:
    separate = ("--workers", "2", "--separate-channels", "--access-log", "none", "--exit-on-stdin-eof")
    with serving(*separate, stderr=None) as (_, server):
        url = f"{server}/channels/separate"
        document, summary = bench(
            url, "-n", "40", "-z", "4s", "--ramp-up", "0.5s", "--publish", url, "--publish-rate", "10/s"
        )
    fanout = document["fanout"]
    # The kernel distributes streams and publications over both processes, perhaps unevenly.
    assert 0.25 < fanout["reach"] < 0.75
    assert fanout["reached_all"] == 0
    assert fanout["separate_groups"] == 2
    assert findings(document)["fanout-split"]["processes"] == 2
    assert "the server seems to fan out within each of 2 processes" in summary


def test_a_command_gets_each_event_as_a_line(server: str) -> None:
    url = f"{server}/channels/command"
    command = shlex.join([sys.executable, "-c", CURL, url])
    document, _ = bench(
        url, "-n", "5", "-z", "3s", "--publish-command", command, "--publish-rate", "4/s",
        "--publish-body", "event {n} is {token}",
    )  # fmt: skip
    publisher = document["fanout"]["publisher"]
    assert (publisher["command"], publisher["url"], publisher["request"]) == (sys.executable, None, None)
    assert document["fanout"]["reach"] == 1
    assert url not in json.dumps(publisher)  # arguments may be secrets


def test_a_command_that_ends_leaves_the_other_events_unpublished(server: str) -> None:
    url = f"{server}/channels/ended"
    document, summary = bench(
        url, "-n", "2", "-z", "2s", "--publish-command", "sh -c 'sleep 987.5 & read line; echo no broker >&2; exit 3'"
    )
    publisher = document["fanout"]["publisher"]
    assert publisher["failed"] >= publisher["planned"] - 2
    assert "ended with exit code 3: no broker" in summary
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 987.5\n" not in shown


def test_without_any_publication_the_run_fails(server: str) -> None:
    url = f"{server}/channels/nothing"
    document, summary = bench(url, "-n", "2", "-z", "2s", "--publish", f"{server}/nope", code=3)
    assert document["fanout"]["publisher"]["errors"][0]["kind"] == "http-404"
    assert document["fanout"]["reach"] is None
    assert "could not be published" in summary
    assert findings(document).keys() >= {"nothing-published"}


def test_ctrl_c_ends_the_publisher_and_keeps_its_figures(server: str) -> None:
    url = f"{server}/channels/interrupted"
    command = [*SSE, "bench", url, "-n", "2", "-z", "60s", "--publish", url, "--json", "-", "--no-tui"]
    sent_before = json_of(server, "/stats")["events_sent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: streams_open(server) == 2, timeout_s=60)
        until(lambda: json_of(server, "/stats")["events_sent"] > sent_before + 4, timeout_s=60)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 130
    fanout = json.loads(out)["fanout"]
    assert 0 < fanout["publisher"]["published"] < fanout["publisher"]["planned"]
    assert fanout["publisher"]["failed"] <= 1  # the one under way
    assert fanout["missed"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--publish-rate", "5"), "--publish-rate needs a publisher: add --publish URL"),
        (("--publish", "http://h/", "--publish-command", "cat"), "exclude each other"),
        (("--publish", "http://h/", "--publish-body", "hello"), "--publish-body has no {token}"),
        (("--publish-command", "'cat"), '--publish-command "\'cat": no closing quotation'),
        (("--publish-command", " "), "--publish-command is empty"),
        (("--publish-command", "cat", "--publish-header", "A: b"), "applies to --publish URL"),
        (("--publish-command", "cat", "--publish-body", "a\nb {token}"), "has several lines"),
        (("--publish", "http://h/", "--publish-header", "nope"), "'nope' is not a header"),
        (("--publish", "demo"), "it needs the URL demo"),
        (("--publish", "ftp://h/"), "cannot read ftp:// URLs"),
        (("--publish", "http://h/", "--against", "http://h/"), "--publish and --against exclude each other"),
        (("--publish", "http://h/", "-z", "2s", "--ramp-up", "2s"), "no time to publish"),
    ],
)
def test_wrong_options_are_errors_before_the_run(
    sse_in_process: InProcess, arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = sse_in_process("bench", "http://127.0.0.1:9/", "--no-preflight", *arguments)
    assert code == 2
    assert words in " ".join(err.split())
