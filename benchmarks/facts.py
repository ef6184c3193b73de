"""The machine and the versions that the figures belong to. No names of machines or people, no paths."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.readers import k6_program

PACKAGES = ("sseclient-cli", "uvloop", "httptools", "hdrhistogram", "httpx", "httpx-sse", "aiohttp")


def facts(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the facts that a reader of the figures needs, in the order to print them."""
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "CPU": _cpu_model(),
        "cores": str(os.cpu_count()),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "gcc": _first_line("gcc", "-dumpfullversion"),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    program = k6_program()
    if program:
        found["k6"] = _first_line(program, "version")
    return found


def commit() -> str:
    """Return the short hash of the checkout, marked when something in it is not committed."""
    described = _first_line("git", "describe", "--always", "--dirty=-modified", "--exclude=*")
    return described or "unknown"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
            cwd=Path(__file__).parent,
        )
    except OSError:
        return ""
    return (done.stdout.splitlines() or [""])[0]
