"""The part of the report about outages: a storm, or a server that many streams lost at once."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

from sseclient_cli.measure.recovery import RecoveryTotals
from sseclient_cli.report.figure import Better, Part, figure
from sseclient_cli.report.timeline_model import counts_in, text_of_counts

_SOME_MISSING = "not enough streams came back"


class FailedAttempts(Part):
    """Failed connection attempts of one kind."""

    kind: str = figure("The kind of error.", pattern="^[a-z0-9-]+$")
    count: int = figure("Failed attempts of this kind.", better=Better.LOWER, ge=1)


class Refusal(Part):
    """Responses after which a browser does not reconnect."""

    status: int = figure("The status of the response.", ge=100, le=599)
    streams: int = figure("Lost streams that received it.", better=Better.LOWER, ge=1)
    retried: bool = figure("Whether the plan made these streams try again (`retry_statuses`).")


class ReconnectionTime(Part):
    """A reconnection time, and the lost streams that had it."""

    ms: int = figure("The reconnection time.", unit="ms", ge=0)
    from_server: bool = figure("Whether the server set it with `retry`; otherwise it is the default.")
    streams: int = figure("Lost streams with it.", ge=1)


class Phase(Part):
    """The events of whole rows of the timeline: before, during or after an outage."""

    seconds: float = figure("The length of these rows.", unit="s", gt=0)
    events_per_s: float = figure("Events per second.", unit="1/s", better=Better.HIGHER, ge=0)
    delivery_p50_ms: float | None = figure(
        "The median of delivery, within 1 %.", unit="ms", absent="no event has a timestamp", better=Better.LOWER
    )
    delivery_p99_ms: float | None = figure(
        "The 99th percentile of delivery, within 1 %.",
        unit="ms",
        absent="no event has a timestamp",
        better=Better.LOWER,
    )


class CurvePoint(Part):
    """A point of the recovery."""

    t_s: float = figure("The time in the run.", unit="s")
    back: float = figure("The share of the streams that was open.", unit="ratio", better=Better.HIGHER, ge=0, le=1)
    attempts_per_s: float = figure("Connection attempts per second since the previous point.", unit="1/s", ge=0)


class ReturnTimes(Part):
    """The times of an outage until streams were back, counted from the first lost connection."""

    outage_s: float | None = figure(
        "Until the first stream was open again.",
        unit="s",
        absent="no stream came back",
        better=Better.LOWER,
        ge=0,
    )
    back_p50_s: float | None = figure(
        "Until 50 % of the missing streams were back.", unit="s", absent=_SOME_MISSING, better=Better.LOWER, ge=0
    )
    back_p90_s: float | None = figure(
        "Until 90 % of the missing streams were back.", unit="s", absent=_SOME_MISSING, better=Better.LOWER, ge=0
    )
    back_p99_s: float | None = figure(
        "Until 99 % of the missing streams were back.", unit="s", absent=_SOME_MISSING, better=Better.LOWER, ge=0
    )
    back_all_s: float | None = figure(
        "Until all missing streams were back.",
        unit="s",
        absent="some streams did not come back",
        better=Better.LOWER,
        ge=0,
    )


class Outage(ReturnTimes):
    """One outage. Its times are counted from the first lost connection."""

    start_s: float = figure("When the first connection was lost, in the run.", unit="s", ge=0)
    is_storm: bool = figure("Whether the plan dropped the connections.")
    causes: dict[str, int] = figure("Lost connections by cause: storm, ended (by the server), or a kind of error.")
    open_before: int = figure("Streams that were open before.", ge=0)
    streams: int = figure("Streams that were missing at once, at most.", ge=0)
    back: int = figure("Returns. A stream that was lost and came back twice counts twice.", ge=0)
    gave_up: int = figure("Streams that an error ended for good.", better=Better.LOWER, ge=0)
    waiting: int = figure("Streams that were not back at the end of the run.", better=Better.LOWER, ge=0)
    refused_s: float | None = figure(
        "Until the last failed attempt before the first stream was open again: the server was away for at least this "
        "time.",
        unit="s",
        absent="no attempt failed before the first stream came back",
        better=Better.LOWER,
        ge=0,
    )
    attempts: int = figure("Connection attempts of lost streams.", ge=0)
    attempts_per_s_max: int = figure("The most attempts within 1 s.", better=Better.LOWER, ge=0)
    attempts_per_tenth_max: int = figure("The most attempts within 0.1 s.", better=Better.LOWER, ge=0)
    failures: list[FailedAttempts] = figure("Failed attempts by kind, the most frequent first.")
    refusals: list[Refusal] = figure("Responses after which a browser does not reconnect.")
    reconnection_times: list[ReconnectionTime] = figure("Reconnection times of the lost streams, most streams first.")
    early: int = figure(
        "Lost streams that tried again before their reconnection time was over: all streams of a storm do.", ge=0
    )
    before: Phase | None = figure(
        "The events before the outage, after ramp-up, warm-up and an earlier outage.",
        absent="there was no whole row before the outage",
    )
    during: Phase | None = figure(
        "The events from the first loss until the last return.", absent="the run has no timeline"
    )
    after: Phase | None = figure("The events afterwards.", absent="there was no whole row after the outage")
    curve: list[CurvePoint] = figure("The share of the streams that was open, and the attempts, over time.")


class AfterReturn(Part):
    """The events that streams received after they had reconnected, over the whole run."""

    replayed: int | None = figure(
        "Events that were sent before the stream requested them again, by their timestamps.",
        absent="no event has a timestamp",
        ge=0,
    )
    lost: int | None = figure(
        "Numbers between the last event of a connection and the first one of the next that the stream did not receive. "
        "The server may not have sent them.",
        absent="no sequence number was found, or the numbering restarted",
        better=Better.LOWER,
        ge=0,
    )
    duplicated: int | None = figure(
        "Events that the stream had received before.",
        absent="no sequence number was found in the events",
        better=Better.LOWER,
        ge=0,
    )
    foreign: int | None = figure(
        "Events with a number before the first event of the stream.",
        absent="no sequence number was found in the events",
        better=Better.LOWER,
        ge=0,
    )
    renumbered_streams: int | None = figure(
        "Streams on which the numbering restarted.",
        absent="no sequence number was found in the events",
        better=Better.LOWER,
        ge=0,
    )


class Recovery(ReturnTimes):
    """The outages of a run. Each time is that of the worst outage, counted from its first lost connection."""

    outages: int = figure("Outages.", ge=1)
    streams: int = figure("Streams that were missing at once, at most.", ge=0)
    not_back: int = figure("Streams that did not come back.", better=Better.LOWER, ge=0)
    attempts: int = figure("Connection attempts of lost streams.", ge=0)
    attempts_failed: int = figure("Failed attempts of these.", share_of="recovery.attempts", better=Better.LOWER, ge=0)
    attempts_per_s_max: int = figure("The most attempts within 1 s.", better=Better.LOWER, ge=0)
    after_return: AfterReturn = figure("The events after reconnections.")
    resolution_s: float = figure("The resolution of the times.", unit="s", gt=0)
    described: list[Outage] = figure("The first five outages.")


class RecoveryEvidence(Part):
    """Losses and returns of streams, as bin:count with spaces between, for merging reports."""

    bin_ms: int = figure("The length of a bin.", unit="ms", gt=0)
    open_changes: str = figure("Changes of the number of open streams.")
    attempts: str = figure("Connection attempts of lost streams.")
    early: str = figure("Lost streams that tried again before their reconnection time, by the bin of the loss.")
    causes: dict[str, str] = figure("Lost connections by cause.")
    failures: dict[str, str] = figure("Failed attempts by kind of error.")
    returns: dict[int, str] = figure("Returns by the bin of the loss.")
    departures: dict[int, str] = figure("Streams that an error ended, by the bin of the loss.")
    completions: dict[int, str] = figure("Streams that the plan closed, by the bin of the loss.")
    refusals: dict[int, str] = figure("Streams that received a status, by the status.")
    retries: dict[int, str] = figure("Lost streams by reconnection time in ms; -1: the default.")

    @classmethod
    def of(cls, totals: RecoveryTotals | None) -> Self | None:
        """Return the evidence in the totals of a run; None if streams could not return."""
        if totals is None:
            return None
        values = {name: getattr(totals, name) for name in cls.model_fields}
        return cls.model_validate({name: _text(value) for name, value in values.items()})

    def totals(self) -> RecoveryTotals:
        """Return the totals."""
        return RecoveryTotals(**{name: _counts(value) for name, value in self})


def _text(value: Any) -> Any:
    if isinstance(value, Counter):
        return text_of_counts(value)
    return {key: text_of_counts(counts) for key, counts in value.items()} if isinstance(value, dict) else value


def _counts(value: Any) -> Any:
    if isinstance(value, str):
        return Counter(counts_in(value))
    return {key: Counter(counts_in(text)) for key, text in value.items()} if isinstance(value, dict) else value
