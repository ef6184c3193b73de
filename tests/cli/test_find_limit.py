"""`sse bench --find-limit`, on a server whose limit is known."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from real_servers import serving_app

COMMAND = [sys.executable, "-m", "sseclient_cli", "bench"]


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.timeout(300)
def test_limit_of_a_server_is_found(tmp_path: Path) -> None:
    # Each event takes 2 ms of the server: it can serve at most 50 streams, and fewer on a busy machine.
    with serving_app("limited") as url:
        file = tmp_path / "limit.json"
        made = _bench(url, "-n", "40", "-z", "1500ms", "--find-limit", "delivery.p50 < 150ms", "--json", str(file))
    document = json.loads(file.read_text())
    assert made.returncode == 0, made.stderr
    assert document["document"] == "limit-search"
    # On a busy machine, the load generator may reach its limit before the server does.
    last = next(step for step in document["steps"] if step["load"] == document["first_failing"])
    assert document["stopped_by"] == {"failed": "assertion", "saturated": "saturation"}[last["status"]]
    assert 4 <= document["limit"] <= 70
    assert document["limit"] < document["first_failing"] <= 140
    assert "Limit: " in made.stdout
    assert "Traceback" not in made.stderr


@pytest.mark.timeout(120)
def test_no_load_passes_is_exit_code_1() -> None:
    with serving_app("limited") as url:
        made = _bench(url, "-n", "2", "-z", "500ms", "--find-limit", "delivery.p50 < 1us")
    assert made.returncode == 1
    assert "No load passed" in made.stdout


def test_what_was_not_measured_ends_the_search() -> None:
    with serving_app("limited") as url:
        made = _bench(url, "-n", "8", "-z", "1s", "--find-limit", "tls.p99 < 5ms")
    assert made.returncode == 1
    assert made.stderr.count("streams: failed") == 1
    assert "No load passed: tls.p99 < 5ms: not measured because no TLS handshake took place." in " ".join(
        made.stdout.split()
    )


def test_condition_that_a_load_does_not_break_is_a_usage_error() -> None:
    for assertion in ("delivery.p99 > 5ms", "plan.connections < 50", "streams.opened < 10"):
        made = _bench("http://127.0.0.1:1/", "--find-limit", assertion)
        assert made.returncode == 2
        assert f"a growing load does not break '{assertion}'" in made.stderr


def test_wrong_assertion_is_a_usage_error_before_the_first_step() -> None:
    made = _bench("http://127.0.0.1:1/", "--find-limit", "delivry.p99 < 1ms")
    assert made.returncode == 2
    assert "delivery.p99" in made.stderr
