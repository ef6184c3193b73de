"""The report of the comparison of HTTP/1.1 and HTTP/2."""

from __future__ import annotations

from benchmarks.http2 import markdown
from benchmarks.measuring import Outcome


def test_a_row_has_the_median_of_each_server_and_the_reason_for_a_missing_figure() -> None:
    rounds = {
        ("hypercorn", "HTTP/2"): [Outcome({"connections": count}) for count in (9, 10, 10)],
        ("nginx", "HTTP/2"): [Outcome({}, "nginx is not installed")],
    }
    text = markdown(rounds, {"cores": "2"}, 1_000)
    assert "| connections of the client | 10 (spread 10% of 3) | not measured |" in text
    assert "- nginx HTTP/2: nginx is not installed" in text
