"""The recipes of docs/how-to/fan-out-recipes.md that need no npm reach the streams that the page says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from demo_server_processes import serving
from real_processes import SSE, until
from real_servers import answers, free_port
from redis_process import redis_process

PAGE = (Path(__file__).parents[2] / "docs/how-to/fan-out-recipes.md").read_text("utf-8")
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
STREAMS = 30

RATE = 20


def file_of_the_page(name: str) -> str:
    """Return a file that the page shows."""
    match = re.search(rf'^```\w+ title="{re.escape(name)}"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
    assert match
    return match[1]


def fan_out_of(subscribe: str, publish: str) -> tuple[dict[str, Any], set[str]]:
    """Return the figures of a run, and the codes of its findings."""
    plan = ("-n", str(STREAMS), "-z", "3s", "--ramp-up", "0s", "--publish-rate", f"{RATE}/s")
    command = [*SSE, "bench", subscribe, *plan, "--publish", publish, "--json", "-", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["streams"]["opened"] == STREAMS
    return report["fanout"], {finding["code"] for finding in report["findings"]}


def assert_complete(fan_out: dict[str, Any]) -> None:
    """Every event reached all streams; on a busy machine, those of the last second may arrive after the end."""
    last = fan_out["publisher"]["published"]
    assert [each for each in fan_out["incomplete_events"] if each["n"] <= last - RATE] == []
    assert fan_out["events"] > RATE


def test_separate_channels_reach_half_of_the_streams_and_the_finding_says_why() -> None:
    with serving("--access-log", "none", "--workers", "2", "--separate-channels") as (_, url):
        fan_out, codes = fan_out_of(f"{url}/channels/x", f"{url}/channels/x")
    assert 0.25 < fan_out["reach"] < 0.75  # connections are distributed at random
    assert fan_out["complete_streams"] == 0
    assert "fanout-split" in codes


def test_redis_reaches_all_streams_of_all_servers() -> None:
    with redis_process() as redis:
        options = ("--access-log", "none", "--redis", redis.url)
        with serving(*options, "--workers", "2") as (_, one), serving(*options) as (_, other):
            fan_out, _ = fan_out_of(f"{one}/channels/x", f"{other}/channels/x")
    assert_complete(fan_out)


def test_fastapi_with_one_subscription_per_process_reaches_all_streams(tmp_path: Path) -> None:
    with redis_process() as redis:
        code = file_of_the_page("fanout.py").replace("redis://127.0.0.1:6379", redis.url)
        (tmp_path / "fanout.py").write_text(code, "utf-8")
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "fanout:app", "--port", str(port), "--workers", "2"]
        with running([*command, "--log-level", "warning"], port, tmp_path) as url:
            until(lambda: redis.pattern_subscribers() == 2, timeout_s=30)  # a process connects after it listens
            fan_out, _ = fan_out_of(f"{url}/events/x", f"{url}/events/x")
    assert_complete(fan_out)


def test_nchan_reaches_all_streams_of_its_workers(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None or not NCHAN.exists():
        if os.environ.get("CI"):
            pytest.fail("nginx with libnginx-mod-nchan is not installed")  # .ci/run installs it
        pytest.skip("nginx with libnginx-mod-nchan is not installed")
    port = free_port()
    folders = "".join(f"{name}_temp_path {tmp_path}/{name}; " for name in ("proxy", "fastcgi", "uwsgi", "scgi"))
    conf = file_of_the_page("nchan.conf").replace("8080", str(port)).replace("http {", f"http {{ {folders}", 1)
    conf = conf.replace("modules/", "/usr/lib/nginx/modules/", 1) + f"pid {tmp_path}/pid; daemon off;\n"
    (tmp_path / "nchan.conf").write_text(conf, "utf-8")
    with running([nginx, "-c", f"{tmp_path}/nchan.conf", "-e", f"{tmp_path}/error"], port, tmp_path) as url:
        fan_out, _ = fan_out_of(f"{url}/sub/x", f"{url}/pub/x")
    assert_complete(fan_out)


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """Run a server until the end of the block; yield its URL."""
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            until(lambda: answers(port), timeout_s=30)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
