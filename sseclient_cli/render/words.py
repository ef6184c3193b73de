"""Findings in words, and advice on errors. Callers escape the text of the server that a sentence contains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `sse watch` reads the advice, and must not wait for pydantic
    from sseclient_cli.report.model import Finding

Figures = dict[str, Any]


def sentence(finding: Finding) -> str:
    """Return a finding as a sentence, without a full stop."""
    return _WORDS[finding.code](finding.figures)


def advice_on(kind: str) -> str:
    """Return advice for errors of a kind; empty if no option helps.

    ``cli/advice.py`` adds advice for single causes, and for a command's own error.
    """
    return _ADVICE.get(kind, "")


def duration(ms: float) -> str:
    """Return a duration in a readable unit: 0.25 ms, 900 ms, 1.00 s, 60.0 s."""
    if abs(ms) < 10:
        return f"{ms:.2f} ms"
    if abs(ms) < 1_000:
        return f"{ms:.0f} ms"
    return f"{ms / 1_000:.2f} s" if abs(ms) < 10_000 else f"{ms / 1_000:,.1f} s"


def _silent_streams(figures: Figures) -> str:
    return (
        f"silence: {figures['streams']:,} of {figures['opened']:,} streams went silent, the longest for the last "
        f"{duration(figures['longest_ms'])}: no byte for many times their longest earlier pause"
    )


def _streams_without_event(figures: Figures) -> str:
    return f"silence: {figures['streams']:,} of {figures['opened']:,} streams received no event"


def _bytes_without_event(figures: Figures) -> str:
    return f"no event on {figures['streams']:,} of {figures['opened']:,} streams; first cause: {figures['example']}"


def _unanswered(figures: Figures) -> str:
    of = f"{figures['requests']:,} of {figures['sent']:,}"
    return f"headers: {of} requests received no response head; the headers row excludes them"


def _idle_cuts(figures: Figures) -> str:
    return (
        f"cut: {_counted(figures['connections'], 'connection')} ended after {duration(figures['silence_ms'])} "
        "without a byte; possible cause: the idle timeout of a proxy; more frequent heartbeats prevent it"
    )


def _reach_incomplete(figures: Figures) -> str:
    return (
        f"reach: {figures['reached_all']:,} of {figures['events']:,} broadcast events reached all "
        f"{figures['streams']:,} sampled streams; on average, a stream received {figures['share']:.0%} of them; "
        "possible cause: several server processes without a shared broker"
    )


def _sequence_uncertain(figures: Figures) -> str:
    source = figures["source"]
    return f"audit: {source} may be a sequence, but {figures['reason']}; --sequence {_option(source)} audits it anyway"


def _renumbered(figures: Figures) -> str:
    return f"audit: numbering restarted on {_counted(figures['streams'], 'stream')}: loss unknown"


def _unconfirmed_loss(figures: Figures) -> str:
    return (
        f"audit: {_counted(figures['numbers'], 'number')} missing on half of the streams or more: lost, or not sent to "
        f"them; use --sequence {_option(figures['source'])} if the server skips no numbers"
    )


def _carried_ids(figures: Figures) -> str:
    return (
        f"audit: {_counted(figures['events'], 'event')} with the id of the previous event: sent without an id, or "
        "twice; --sequence id counts them as duplicated"
    )


def _streams_not_audited(figures: Figures) -> str:
    return f"audit: {_counted(figures['streams'], 'stream')} excluded: {figures['source']} is not a sequence there"


def _held_back(figures: Figures) -> str:
    cause = "possible causes: a buffering proxy, compression, or batching in the server"
    if figures["content_encodings"]:
        cause = f"the response is compressed ({', '.join(figures['content_encodings'])}): flush after each event"
    delivery = figures["delivery_max_ms"]
    late = "" if delivery is None else f", delivery up to {duration(delivery)}"
    return (
        f"events are held back: {_bursts(figures)}, sent over {duration(figures['held_back_ms'])} and received "
        f"together{late}: {cause}"
    )


def _plain_bursts(figures: Figures) -> str:
    return f"events arrive in {_bursts(figures)}: a proxy buffers them, or the server sends batches"


def _bursts(figures: Figures) -> str:
    every = "" if figures["every_ms"] is None else f" every {duration(figures['every_ms'])}"
    return f"bursts of {figures['events']:,}{every}"


def _gaps_inside_bursts(figures: Figures) -> str:
    share, mean_ms = figures["share"], figures["mean_ms"]
    words = f"gap: {share:.0%} of the gaps are between events of one read; the row excludes them"
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
        "so: a clock was set, or a constant backlog started"
    )


def _timestamp_in_the_future(figures: Figures) -> str:
    source = figures["source"]
    return (
        f"delivery: {source} lies in the future and is not used as the send time; --timestamp {_option(source)} uses it"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _option(source: str) -> str:
    """Return a field as the options --sequence and --timestamp take it."""
    return source.split(", ")[0].removeprefix("data.")


_ADVICE = {
    "limit": "lower --connections, raise `ulimit -n`, or use more addresses with --source-address ADDRESS[,...]",
    "memory-limit": "lower --max-event-bytes or --connections",
    "event-too-large": "raise --max-event-bytes",
    "content-type": "read the response anyway with --any-content-type",
}

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
