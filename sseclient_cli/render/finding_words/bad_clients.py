"""The words of findings about bad clients."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words
from sseclient_cli.render.quantities import counted, duration, size

_HELD = {
    "slow": "slow client",
    "vanish": "vanished client",
    "half_request": "half-sent request",
}

_LABELS = {"delivery_p50": "delivery p50", "delivery_p99": "delivery p99", "gap_p99": "the gap p99"}


def _held(figures: Figures) -> str:
    held = counted(figures["held"], _HELD[figures["kind"]])
    return (
        f"At the end of the run, {figures['held_s']:.1f} s after turning bad, the server still held {held} of "
        f"{figures['turned']:,}."
    )


def _held_advice(figures: Figures) -> str:
    return {
        "slow": (
            "The server buffers what a slow client has not read. Limit the queue of each client and disconnect a "
            "client whose queue is full, or set a write timeout."
        ),
        "vanish": (
            "Send heartbeats and set a write timeout (or TCP_USER_TIMEOUT). Otherwise the kernel retries for about 15 "
            "minutes or, without data to send, keeps the connection for 2 hours or longer."
        ),
        "half_request": (
            "Set a timeout for the request head (nginx: client_header_timeout, Go: ReadHeaderTimeout); otherwise a few "
            "clients can hold all connections."
        ),
    }[figures["kind"]]


def _cost(figures: Figures) -> str:
    name = figures["figure"]
    if name == "event_rate":
        return (
            f"After the bad clients turned bad, the good streams received {figures['after_per_s']:,.1f} events/s "
            f"instead of {figures['before_per_s']:,.1f}."
        )
    return (
        f"After the bad clients turned bad, {_LABELS[name]} of the good streams rose from "
        f"{duration(figures['before_ms'])} to {duration(figures['after_ms'])}."
    )


def _not_turned(figures: Figures) -> str:
    missing = figures["planned"] - figures["turned"]
    return (
        f"{missing:,} of {counted(figures['planned'], 'bad client')} never turned bad: not connected at any time after "
        f"{figures['at_s']:g} s."
    )


def _kept_up(figures: Figures) -> str:
    return (
        f"A stream has {size(figures['stream_bytes_per_s'])}/s of data, and a slow client reads "
        f"{size(figures['slow_bytes_per_s'])}/s: it keeps up."
    )


WORDS = {
    "slow-clients-keep-up": Words(
        _kept_up, lambda _figures: "Give --slow a lower speed, or choose a stream with more data."
    ),
    "bad-clients-held": Words(_held, _held_advice),
    "bad-clients-cost": Words(
        _cost,
        lambda _figures: (
            "A client that does not read must not delay the others: send to each from its own queue, never await one "
            "client's send before the next."
        ),
    ),
    "bad-clients-not-turned": Words(
        _not_turned, lambda _figures: "The server refused or ended their connections, or the run was too short."
    ),
}
