"""The words and cells that a limit search and a sweep share: loads, steps, their bars, and the knee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from sseclient_cli.escaping import visible
from sseclient_cli.report.step_model import Step, StepStatus, Varied

STYLES = {StepStatus.PASSED: "green", StepStatus.FAILED: "red", StepStatus.SATURATED: "yellow"}

UNITS = {Varied.CONNECTIONS: "streams", Varied.RATE: "new streams/s"}
"""The unit of the load."""

LEAST_BAR_WIDTH = 10
MAX_BAR_WIDTH = 40


def load_text(load: float) -> str:
    """Return a load: 1,250 streams, or a rate such as 0.35."""
    return f"{load:,.0f}" if load == int(load) else f"{load:,g}"


def load_words(load: float, varied: Varied) -> str:
    """Return a load with its unit."""
    return "1 stream" if load == 1 and varied is Varied.CONNECTIONS else f"{load_text(load)} {UNITS[varied]}"


def step_line(step: Step, varied: Varied, figures: str = "") -> Text:
    """Return the result of one step in one line, while the others go on."""
    text = Text(f"{load_words(step.load, varied)}: ")
    text.append(step.status.value, STYLES[step.status])
    text.append(figures)
    return text.append(f" ({visible(step.reason, keep_lines=False)})" if step.reason else "")


def knee_words(knee: float | None, varied: Varied) -> str:
    """Return the knee of the curve in words; empty without one."""
    return "" if knee is None else f"Knee: above {load_words(knee, varied)}, p99 rises faster than the load."


def cpu_text(step: Step) -> str:
    """Return the CPU of the busiest worker."""
    return "-" if step.cpu_percent is None else f"{step.cpu_percent:.0f} %"


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a figure, as wide as there is room for."""

    width: int
    highest: float

    @classmethod
    def within(cls, room: int, values: Sequence[float | None]) -> Bars | None:
        """Return bars for these values; None if the room is too small."""
        width = min(room, MAX_BAR_WIDTH)
        return None if width < LEAST_BAR_WIDTH else cls(width, max((value or 0 for value in values), default=0))

    def bar(self, value: float | None, style: str) -> Text:
        """Return the bar of a value; empty without one."""
        share = (value or 0) / self.highest if self.highest > 0 else 0
        return Text("█" * max(round(share * self.width), 1 if value else 0), style)
