"""Findings in words: one sentence for each, with what to do. Text from the server is made safe where it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sseclient_cli.report.model import Finding

Figures = dict[str, Any]


def sentence(finding: Finding) -> str:
    """Return a finding in words, without a full stop."""
    return _WORDS[finding.code](finding.figures)


def duration(ms: float) -> str:
    """Return a duration as a person says it: 0.25 ms, 900 ms, 1.00 s, 60.0 s."""
    if abs(ms) < 10:
        return f"{ms:.2f} ms"
    if abs(ms) < 1_000:
        return f"{ms:.0f} ms"
    return f"{ms / 1_000:.2f} s" if abs(ms) < 10_000 else f"{ms / 1_000:,.1f} s"


def _silent_streams(figures: Figures) -> str:
    return (
        f"silence: {figures['streams']:,} of {figures['opened']:,} streams went silent, the longest for "
        f"{duration(figures['longest_ms'])} up to the end: no byte for many times their longest pause before"
    )


def _streams_without_event(figures: Figures) -> str:
    return f"silence: {figures['streams']:,} of {figures['opened']:,} streams never brought an event"


def _bytes_without_event(figures: Figures) -> str:
    return f"no event on {figures['streams']:,} of {figures['opened']:,} streams; the first: {figures['example']}"


def _unanswered(figures: Figures) -> str:
    of = f"{figures['requests']:,} of {figures['streams']:,}"
    return f"headers: {of} without an answer: no response head came; they are not in the headers row"


def _idle_cuts(figures: Figures) -> str:
    return (
        f"cut: {_counted(figures['connections'], 'connection')} ended after {duration(figures['silence_ms'])} "
        "without a byte: an idle timeout on the way? Heartbeats more often than that prevent it"
    )


def _reach_incomplete(figures: Figures) -> str:
    return (
        f"reach: of {figures['events']:,} events of a broadcast, {figures['reached_all']:,} reached all of "
        f"{figures['streams']:,} sampled streams; a stream got {figures['share']:.0%} of them. Several server "
        "processes without a shared broker look like this"
    )


def _sequence_uncertain(figures: Figures) -> str:
    source = figures["source"]
    return f"audit: {source} may be a sequence, but {figures['reason']}; --sequence {_option(source)} audits it anyway"


def _renumbered(figures: Figures) -> str:
    return f"audit: numbering began anew on {_counted(figures['streams'], 'stream')}: loss unknown"


def _unconfirmed_loss(figures: Figures) -> str:
    return (
        f"audit: {_counted(figures['numbers'], 'number')} missing on half of the streams or more: lost, or not sent to "
        f"them; use --sequence {_option(figures['source'])} if the server skips no numbers"
    )


def _carried_ids(figures: Figures) -> str:
    return (
        f"audit: {_counted(figures['events'], 'event')} with the id of the event before: without an id of its own, or "
        "sent twice; --sequence id counts them as duplicated"
    )


def _streams_not_audited(figures: Figures) -> str:
    return f"audit: {_counted(figures['streams'], 'stream')} left out: {figures['source']} is not a sequence there"


def _held_back(figures: Figures) -> str:
    cause = "possible causes: a proxy that buffers, compression, or batching in the server"
    if figures["content_encodings"]:
        cause = f"the response is compressed ({', '.join(figures['content_encodings'])}): flush after each event"
    delivery = figures["delivery_max_ms"]
    late = "" if delivery is None else f", delivery up to {duration(delivery)}"
    return (
        f"events are held back: {_bursts(figures)}, sent over {duration(figures['held_back_ms'])} and received "
        f"together{late}: {cause}"
    )


def _plain_bursts(figures: Figures) -> str:
    return f"events arrive in {_bursts(figures)}: something buffers them, or the server sends in batches"


def _bursts(figures: Figures) -> str:
    every = "" if figures["every_ms"] is None else f" every {duration(figures['every_ms'])}"
    return f"bursts of {figures['events']:,}{every}"


def _gaps_inside_bursts(figures: Figures) -> str:
    share, mean_ms = figures["share"], figures["mean_ms"]
    words = f"gap: {share:.0%} of the gaps are between events that arrived together, and excluded from the row"
    return words if mean_ms is None else f"{words}; the mean of all gaps is {duration(mean_ms)}"


def _coalesced(figures: Figures) -> str:
    share = figures["share"]
    return f"coalesced: {share:.0%} of the events arrived in the same read as later data; short latencies are missing"


def _clock_step(figures: Figures) -> str:
    return (
        f"clock: this machine's wall clock was set by {figures['step_ms'] / 1000:+,.3f} s, {figures['t_s']} s into the "
        "run: delivery before and after the step is not comparable"
    )


def _clock_difference(figures: Figures) -> str:
    seconds = figures["server_ahead_s"]
    side = "ahead of" if seconds > 0 else "behind"
    return (
        f"clock: by the Date of its responses, the server's clock is {abs(seconds)} s {side} this machine's; delivery "
        "contains the difference of the clocks"
    )


def _clock_skew(figures: Figures) -> str:
    return (
        f"clock skew: {_counted(figures['events'], 'event')} arrived up to {figures['largest_ms']:,.3f} ms before "
        "being sent: the clocks differ, or the timestamp is rounded"
    )


def _delivery_jump(figures: Figures) -> str:
    return (
        f"clock: delivery changed by {figures['jump_ms'] / 1000:+,.3f} s, {figures['t_s']} s into the run, and stayed "
        "so: a clock was set, or a constant backlog began"
    )


def _timestamp_in_the_future(figures: Figures) -> str:
    source = figures["source"]
    return (
        f"delivery: {source} lies in the future and is not used as the send time; --timestamp {_option(source)} uses it"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _option(source: str) -> str:
    """Return a field as the option takes it."""
    return source.split(", ")[0].removeprefix("data.")


_WORDS: dict[str, Callable[[Figures], str]] = {
    "silent-streams": _silent_streams,
    "streams-without-event": _streams_without_event,
    "bytes-without-event": _bytes_without_event,
    "unanswered": _unanswered,
    "idle-cuts": _idle_cuts,
    "reach-incomplete": _reach_incomplete,
    "sequence-uncertain": _sequence_uncertain,
    "renumbered": _renumbered,
    "unconfirmed-loss": _unconfirmed_loss,
    "carried-ids": _carried_ids,
    "streams-not-audited": _streams_not_audited,
    "held-back": _held_back,
    "bursts": _plain_bursts,
    "gaps-inside-bursts": _gaps_inside_bursts,
    "coalesced": _coalesced,
    "clock-step": _clock_step,
    "clock-difference": _clock_difference,
    "clock-skew": _clock_skew,
    "delivery-jump": _delivery_jump,
    "timestamp-in-the-future": _timestamp_in_the_future,
}
