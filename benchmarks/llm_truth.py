"""The log of the server as the figures that a load generator should report."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.measuring import Figures

Quantile = Callable[[Sequence[float], float], float]

QUANTILES = {"p50": 0.5, "p99": 0.99}
RUN = "default"


@dataclass(frozen=True, slots=True)
class Truth:
    """The answers of a run, by the server's log."""

    requests: list[dict[str, Any]]

    @classmethod
    def of(cls, port: int, left_out: int = 0, run: str = RUN) -> Truth:
        """Ask the server; leave out the first requests, which a tool sends before it measures."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with closing(connection):
            connection.request("GET", f"/v1/truth/{run}")
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise RuntimeError("it sent no request")
            report = json.load(response)
        if report["is_cut"]:
            raise RuntimeError("the server's log is cut: there are too many requests")
        return cls([one for one in report["requests"] if one["number"] > left_out])

    @property
    def done(self) -> list[dict[str, Any]]:
        """The complete answers."""
        return [one for one in self.requests if one["ended"] == "done"]

    @property
    def tokens(self) -> int:
        return sum(one["tokens"] for one in self.requests)

    @property
    def starts_s(self) -> float:
        """When the first request arrived."""
        return min(float(one["received_ns"]) for one in self.requests) / 1e9

    @property
    def ends_s(self) -> float:
        """When the last answer ended."""
        return max(float(one["received_ns"] + (one["end_us"] or 0) * 1000) for one in self.requests) / 1e9

    def durations_ms(self) -> dict[str, list[float]]:
        """Return the values of each duration in the report of `sse bench --llm`, by its name."""
        done = self.done
        of_request = {
            "first_chunk": "first_event_us", "first_token": "first_token_us", "first_answer": "first_answer_us",
            "duration": "done_us",
        }  # fmt: skip
        return {
            **{name: [one[key] / 1000 for one in done] for name, key in of_request.items()},
            "token_gap": [gap / 1000 for one in done for gap in one["gaps_us"]],
            "tpot": [_tpot_ms(one) for one in done if one["tokens"] > 1],
        }

    def figures(self, quantile: Quantile) -> Figures:
        """Return the figures by the names of `sse bench`."""
        done = self.done
        return {
            "true_requests": len(done),
            "true_failed": len(self.requests) - len(done),
            **summary("true_first_token", (one["first_token_us"] / 1000 for one in done), quantile),
            **summary("true_token_gap", (gap / 1000 for one in done for gap in one["gaps_us"]), quantile),
            **summary("true_tpot", (_tpot_ms(one) for one in done if one["tokens"] > 1), quantile),
        }


def _tpot_ms(one: dict[str, Any]) -> float:
    duration_us = float(one["last_token_us"] - one["first_token_us"])
    return duration_us / int(one["tokens"] - 1) / 1000


def summary(name: str, values_ms: Iterable[float], quantile: Quantile) -> Figures:
    """Return the percentiles of a figure; none of no values."""
    ordered = sorted(values_ms)
    return {f"{name}_{title}_ms": quantile(ordered, share) for title, share in QUANTILES.items() if ordered}


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values as `sse bench` has it: a value that occurred."""
    return ordered[max(ceil(round(share * len(ordered), 6)), 1) - 1]


def interpolated(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values, interpolated as by numpy, which the other tools use."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
