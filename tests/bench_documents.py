"""Runs `sse bench` as a user does, and returns the document with the summary."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from real_processes import SSE
from report_json import validate


def bench(url: str, *arguments: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """The document of a run that ends with this exit code, and its summary."""
    command = [*SSE, "bench", url, *arguments, "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == code, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    validate(document)
    return document, " ".join(done.stderr.split())
