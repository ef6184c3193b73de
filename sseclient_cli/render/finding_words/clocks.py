"""The words of findings on clocks, which distort delivery."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always, option
from sseclient_cli.render.quantities import counted

_SYNCHRONISE = "Synchronise both clocks (`chronyc tracking` shows the offset)"


def _clock_step(figures: Figures) -> str:
    return (
        f"This machine's wall clock was set by {figures['step_ms'] / 1000:+,.3f} s, {figures['t_s']} s into the run: "
        "delivery before and after the step is not comparable."
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
