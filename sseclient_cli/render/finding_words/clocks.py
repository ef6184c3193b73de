"""The words of findings on clocks, which distort delivery."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always, option
from sseclient_cli.render.quantities import counted

MAX_HOSTS = 3
"""Hosts that a sentence names."""

_SYNCHRONISE = "Synchronise both clocks (`chronyc tracking` shows the offset)"


def _clock_step(figures: Figures) -> str:
    whose = (
        f"The wall clock of one of {figures['hosts']:,} hosts" if "hosts" in figures else "This machine's wall clock"
    )
    return (
        f"{whose} was set by {figures['step_ms'] / 1000:+,.3f} s, {figures['t_s']} s into the run: "
        "delivery before and after the step is not comparable."
    )


def _host_clocks_differ(figures: Figures) -> str:
    hosts, largest = figures["hosts"], figures["largest"][:MAX_HOSTS]
    named = ", ".join(f"{each['host']} by {each['offset_ms']:+,.3f} ± {each['bound_ms']:.3f} ms" for each in largest)
    more = f" and {hosts - len(largest):,} more" if hosts > len(largest) else ""
    clocks = "The wall clock of 1 host differs" if hosts == 1 else f"The wall clocks of {hosts:,} hosts differ"
    effect = "delivery contains this" if figures["has_delivery"] else "send times seem to lie in the future"
    return f"{clocks} from the coordinator's: {named}{more}; {effect}."


def _host_clock_bound(figures: Figures) -> str:
    names = {"delivery": "delivery", "fanout": "the delay of published events"}
    inexact = " and ".join(name for figure, name in names.items() if figures[figure])
    return (
        f"The clocks of the hosts are compared to within {figures['bound_ms']:.3f} ms ({figures['host']} has the "
        f"largest error): {inexact} cannot be more exact."
    )


def _clock_difference(figures: Figures) -> str:
    seconds = figures["server_ahead_s"]
    side = "ahead of" if seconds > 0 else "behind"
    return (
        f"By the Date of its responses, the server's clock is {abs(seconds):,} s {side} this machine's; delivery "
        "contains the difference of the clocks."
    )


def _clock_skew(figures: Figures) -> str:
    return (
        f"{counted(figures['events'], 'event')} arrived up to {figures['largest_ms']:,.3f} ms before being sent: the "
        "clocks differ, or the timestamp is rounded."
    )


def _delivery_jump(figures: Figures) -> str:
    return (
        f"Delivery changed by {figures['jump_ms'] / 1000:+,.3f} s, {figures['t_s']} s into the run, and stayed so: a "
        "clock was set, or a constant backlog started."
    )


def _timestamp_in_the_future(figures: Figures) -> str:
    return f"{figures['source']} lies in the future and is not used as the send time."


def _on_timestamp_in_the_future(figures: Figures) -> str:
    return (
        f"--timestamp {option(figures['source'])} uses it anyway; otherwise, put the send time into another field and "
        "name that one."
    )


WORDS = {
    "clock-step": Words(
        _clock_step,
        always(
            "Repeat the run; if the clock is set again, check the time service (`chronyc tracking`, `timedatectl`)."
        ),
    ),
    "host-clocks-differ": Words(
        _host_clocks_differ,
        always("--correct-clocks takes the difference out; or synchronise the hosts (`chronyc tracking` on each)."),
    ),
    "host-clock-bound": Words(
        _host_clock_bound,
        always("Use hosts with a shorter round trip to the coordinator if that is not exact enough."),
    ),
    "clock-difference": Words(
        _clock_difference, always(f"{_SYNCHRONISE}, or read the gap row, which needs no clock of the server.")
    ),
    "clock-skew": Words(
        _clock_skew, always(f"{_SYNCHRONISE}, and send the timestamp with at least milliseconds, not rounded up.")
    ),
    "delivery-jump": Words(
        _delivery_jump,
        always("Check the time services of both machines (`chronyc tracking`), and the server's log at that second."),
    ),
    "timestamp-in-the-future": Words(_timestamp_in_the_future, _on_timestamp_in_the_future),
}
