"""Builds the part of the report about outages, from the losses and the timeline. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from sseclient_cli.measure.recovery import DEFAULT_RETRY, STORM, RecoveryTotals
from sseclient_cli.measure.rounding import percentile_us
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report import recovery_model as model
from sseclient_cli.report.model import Report
from sseclient_cli.report.recovery import Outage, course, departed, most_within, outages, returns
from sseclient_cli.report.timeline_model import Row
from sseclient_cli.sse.retry_policy import DEFAULT_RECONNECTION_TIME_MS

MAX_DESCRIBED = 5
"""Outages that are described; more are only counted, and are in the worst times."""

MAX_POINTS = 200
"""Points of a curve."""

_Key = TypeVar("_Key", int, str)


def recovery(report: Report, all_totals: Totals) -> model.Recovery | None:
    """Return the outages of a run; None if there were none, or if streams could not return."""
    totals = all_totals.recovery
    if totals is None:
        return None
    found = outages(totals, reconnects=report.run.plan.on_end == "reconnect")
    if not found:
        return None
    begins_s = [0.0, *(_settled_s(each, totals) for each in found[:-1])]
    # The length of the run is rounded: the last stream can end after it.
    last = max(math.ceil(1000 * report.run.duration_s / totals.bin_ms), *(place + 1 for place in _places(totals)))
    ends_s = [place * totals.bin_ms / 1000 for place in (*(each.start for each in found[1:]), last)]
    described = [
        _Description(each, totals, report, begin_s, end_s).outage()
        for each, begin_s, end_s in zip(found, begins_s, ends_s, strict=True)
    ]
    return model.Recovery(
        outages=len(found),
        streams=max(each.streams for each in described),
        not_back=sum(each.gave_up + each.waiting for each in described),
        outage_s=_worst(each.outage_s for each in described),
        back_p50_s=_worst(each.back_p50_s for each in described),
        back_p90_s=_worst(each.back_p90_s for each in described),
        back_p99_s=_worst(each.back_p99_s for each in described),
        back_all_s=_worst(each.back_all_s for each in described),
        attempts=sum(each.attempts for each in described),
        attempts_failed=sum(failed.count for each in described for failed in each.failures),
        attempts_per_s_max=max(each.attempts_per_s_max for each in described),
        after_return=_after_return(report, all_totals),
        resolution_s=totals.bin_ms / 1000,
        described=described[:MAX_DESCRIBED],
    )


def _after_return(report: Report, totals: Totals) -> model.AfterReturn:
    audit = report.audit
    fields = [] if audit is None else [totals.audits[source] for source in report.run.plan.sequence.used]
    return model.AfterReturn(
        replayed=totals.replayed if totals.timestamp_fields else None,
        lost=None if audit is None or audit.renumbered_streams else sum(each.skipped for each in fields),
        duplicated=None if audit is None else sum(each.resume_duplicated for each in fields),
        foreign=None if audit is None else sum(each.foreign for each in fields),
        renumbered_streams=None if audit is None else audit.renumbered_streams,
    )


class _Description:
    """Describes one outage. Its rows lie between ``begin_s`` and ``end_s``: the end of the run, or the next outage."""

    def __init__(self, outage: Outage, totals: RecoveryTotals, report: Report, begin_s: float, end_s: float) -> None:
        self._outage = outage
        self._totals = totals
        self._report = report
        self._begin_s = begin_s
        self._end_s = end_s
        self._course = course(outage, totals)
        self._last = max(round(1000 * end_s / totals.bin_ms) - 1, outage.start)
        """The last bin before the next outage."""

    def outage(self) -> model.Outage:
        """Return the description."""
        outage, totals, found = self._outage, self._totals, self._course
        came_back, gave_up = returns(outage, totals), departed(outage, totals)
        first = min(came_back, default=None)
        attempts = self._during(totals.attempts)
        all_back_s = self._time_s(found.back_after(1))
        return model.Outage(
            start_s=self._s(outage.start),
            is_storm=bool(outage.places & totals.causes.get(STORM, Counter()).keys()),
            causes=self._by_loss(totals.causes),
            open_before=outage.open_before,
            streams=found.most_missing,
            back=came_back.total(),
            gave_up=gave_up,
            waiting=max(found.missing[-1][1] - gave_up, 0),
            outage_s=None if first is None else self._time_s(first - outage.start + 1),
            refused_s=self._refused_s(first),
            back_p50_s=self._time_s(found.back_after(0.5)),
            back_p90_s=self._time_s(found.back_after(0.9)),
            back_p99_s=self._time_s(found.back_after(0.99)),
            back_all_s=all_back_s,
            attempts=attempts.total(),
            attempts_per_s_max=most_within(attempts, max(1000 // totals.bin_ms, 1)),
            attempts_per_tenth_max=most_within(attempts, max(100 // totals.bin_ms, 1)),
            failures=self._failures(),
            refusals=[
                model.Refusal(status=status, streams=count, retried=status in self._report.run.plan.retry_statuses)
                for status, count in sorted(self._by_loss(totals.refusals).items())
            ],
            reconnection_times=[
                model.ReconnectionTime(
                    ms=DEFAULT_RECONNECTION_TIME_MS if retry_ms == DEFAULT_RETRY else retry_ms,
                    from_server=retry_ms != DEFAULT_RETRY,
                    streams=count,
                )
                for retry_ms, count in sorted(self._by_loss(totals.retries).items(), key=lambda item: (-item[1], item))
            ],
            early=sum(totals.early[place] for place in outage.places),
            **self._phases(),
            curve=self._curve(attempts),
        )

    def _s(self, place: int) -> float:
        return round(place * self._totals.bin_ms / 1000, 3)

    def _time_s(self, bins: int | None) -> float | None:
        return None if bins is None else self._s(bins)

    def _during(self, counts: Mapping[int, int]) -> Counter[int]:
        """Return the counts from the outage until the next one."""
        return Counter({place: n for place, n in counts.items() if self._outage.start <= place <= self._last})

    def _by_loss(self, counters: Mapping[_Key, Mapping[int, int]]) -> dict[_Key, int]:
        """Return each sum over the bins of the losses; sums of 0 are left out."""
        places = self._outage.places
        sums = {key: sum(counts[at] for at in places & counts.keys()) for key, counts in counters.items()}
        return {key: together for key, together in sums.items() if together}

    def _failures(self) -> list[model.FailedAttempts]:
        counts = {kind: self._during(each).total() for kind, each in self._totals.failures.items()}
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item))
        return [model.FailedAttempts(kind=kind, count=count) for kind, count in ordered if count]

    def _refused_s(self, first_back: int | None) -> float | None:
        failed = [at for each in self._totals.failures.values() for at in self._during(each)]
        before = [at for at in failed if first_back is None or at <= first_back]
        return self._time_s(max(before) - self._outage.start) if before else None

    def _phases(self) -> dict[str, model.Phase | None]:
        """Return the events before, during and after the outage, by whole rows of the timeline."""
        run, start_s = self._report.run, self._s(self._outage.start)
        back_s = _settled_s(self._outage, self._totals) if returns(self._outage, self._totals) else self._end_s
        first_s = max(run.plan.ramp_up_s, run.plan.warmup_s, self._begin_s)
        last_s = min(self._end_s, run.duration_s)
        phases: dict[str, list[Row]] = {"before": [], "during": [], "after": []}
        for row in self._report.timeline:
            end_s = row.t_s + run.interval_s
            if end_s <= start_s:
                phases["before"] += [row] if row.t_s >= first_s else []
            elif row.t_s < back_s:
                phases["during"].append(row)
            elif end_s <= last_s:
                phases["after"].append(row)
        return {name: _phase(rows, run.interval_s) for name, rows in phases.items()}

    def _curve(self, attempts: Mapping[int, int]) -> list[model.CurvePoint]:
        """Return the points from the begin of the outage until all streams are back, or the next outage."""
        start, totals = self._outage.start, self._totals
        length = self._course.back_after(1) or self._last - start + 1
        step = max(1, math.ceil(length / MAX_POINTS))
        points = [model.CurvePoint(t_s=self._s(start), back=1, attempts_per_s=0)]
        for place in range(start, start + length, step):
            tried = sum(attempts.get(each, 0) for each in range(place, place + step))
            points.append(
                model.CurvePoint(
                    t_s=self._s(place + step),
                    back=round(self._course.share_back(place + step - 1 - start), 4),
                    attempts_per_s=round(tried / (step * totals.bin_ms / 1000), 1),
                )
            )
        return points


def _settled_s(outage: Outage, totals: RecoveryTotals) -> float:
    """Return when the last stream was back; the begin of the outage if none was."""
    return (max(returns(outage, totals), default=outage.start) + 1) * totals.bin_ms / 1000


def _places(totals: RecoveryTotals) -> Iterator[int]:
    """Yield the bins in which something changed, with the last one among them."""
    for counts in (totals.open_changes, totals.attempts, *totals.failures.values()):
        yield from counts


def _phase(rows: Sequence[Row], interval_s: int) -> model.Phase | None:
    if not rows:
        return None
    counts: Counter[int] = Counter()
    for row in rows:
        counts.update(row.delivery_counts())
    seconds = len(rows) * interval_s
    return model.Phase(
        seconds=seconds,
        events_per_s=round(sum(row.events for row in rows) / seconds, 1),
        delivery_p50_ms=percentile_us(counts, 50) / 1000 if counts else None,
        delivery_p99_ms=percentile_us(counts, 99) / 1000 if counts else None,
    )


def _worst(times_s: Iterable[float | None]) -> float | None:
    """Return the longest time; None if a time is unknown, because it would be longer than the others."""
    found = list(times_s)
    known = [each for each in found if each is not None]
    return max(known) if len(known) == len(found) else None
