"""The parts that the pages of a limit search and of a sweep share: charts over the load, and the table of the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

from sseclient_cli.render.html.charts import Axis, Chart, Mark, Series, Unit, chart_of
from sseclient_cli.render.html.sections import cut
from sseclient_cli.render.terminal.steps_view import UNITS, cpu_text, load_text
from sseclient_cli.report.step_model import Step, StepStatus, Varied

_TONES = {StepStatus.PASSED: "good", StepStatus.FAILED: "fault", StepStatus.SATURATED: "warning"}

AnyStep = TypeVar("AnyStep", bound=Step)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A row of the table of the steps."""

    cells: list[str]
    status: str
    tone: str
    note: str
    reason: str


def row_of(step: Step, figures: Sequence[str], note: str = "") -> StepRow:
    """Return the row of a step: its load, the given figures, CPU, and streams that opened and failed."""
    cells = [load_text(step.load), *figures, cpu_text(step), f"{step.opened:,}", f"{step.failed:,}"]
    return StepRow(cells, step.status.value, _TONES[step.status], note, cut(step.reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCharts(Generic[AnyStep]):
    """Makes charts whose horizontal axis is the load. A load that ran several times has the median of its steps."""

    steps: Sequence[AnyStep]
    varied: Varied
    marks: Sequence[Mark]

    @property
    def loads(self) -> list[float]:
        """The loads in ascending order."""
        return sorted({step.load for step in self.steps})

    @property
    def has_repeated(self) -> bool:
        """Whether a load ran several times."""
        return len(self.loads) < len(self.steps)

    def values(self, figure: Callable[[AnyStep], float | None]) -> list[float | None]:
        """Return a figure at each load."""
        found: list[float | None] = []
        for load in self.loads:
            values = [value for step in self.steps if step.load == load and (value := figure(step)) is not None]
            found.append(median(values) if values else None)
        return found

    def chart(
        self,
        chart_id: str,
        title: str,
        unit: Unit,
        figures: Mapping[str, Callable[[AnyStep], float | None]],
        *,
        is_log: bool = False,
        is_tall: bool = False,
    ) -> Chart | None:
        """Return the chart of these figures, by their label; None if none was measured."""
        return chart_of(
            [Series(label=label, values=self.values(figure)) for label, figure in figures.items()],
            id=chart_id,
            title=title,
            unit=unit,
            x=self.loads,
            axis=Axis.LOAD,
            axis_title=UNITS[self.varied],
            marks=self.marks,
            has_points=True,
            is_log=is_log,
            is_tall=is_tall,
        )
