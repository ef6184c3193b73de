"""The part of the report about bad clients: what the server did with them, and what they cost the good streams."""

from __future__ import annotations

from typing import Literal

from sseclient_cli.report.distributions import Durations
from sseclient_cli.report.figure import Better, Part, figure

_NOT_USED = "the run had no such bad clients"


class BadClientsOfKind(Part):
    """The bad clients of one kind. Each figure except `planned` counts from the moment at which a client turned bad."""

    planned: int = figure("Clients of the plan.", ge=0)
    turned: int = figure("Clients that were connected, and turned bad.", ge=0)
    dropped: int | None = figure(
        "Clients whose connection the server closed; null where the clients close it (`abrupt`).",
        absent="these clients close the connection themselves",
        better=Better.HIGHER,
        ge=0,
    )
    held_at_end: int | None = figure(
        "Clients whose connection the server still held at the end of the run.",
        absent="these clients close the connection themselves",
        better=Better.LOWER,
        ge=0,
    )
    unknown_at_end: int | None = figure(
        "Clients for which neither is known: the network broke, or gave no answer at the end of the run.",
        absent="these clients close the connection themselves",
        better=Better.LOWER,
        ge=0,
    )
    dropped_after: Durations | None = figure(
        "From turning bad until the server closed the connection, within 0.5 s for slow clients; never known for "
        "vanished ones.",
        absent="no connection was closed, or the clients could not see when",
    )


class Effect(Part):
    """A change of the good streams from before the clients turned bad to after it."""

    change: float | None = figure(
        "The change as a share of the figure before; null if a value is missing.",
        unit="ratio",
        absent="the good streams have no such value before or after the clients turned bad",
    )
    noise_low: float | None = figure(
        "The lower end of the changes that the noise allows.", unit="ratio", absent="too few rows to know the noise"
    )
    noise_high: float | None = figure("The upper end.", unit="ratio", absent="too few rows to know the noise")
    verdict: Literal["better", "worse", "same", "unclear"] = figure("What the change says: beyond the noise or not.")
    reason: str = figure("Why the verdict is unclear; else empty.")


class LatencyEffect(Effect):
    """The change of a latency."""

    before_ms: float | None = figure("Before.", unit="ms", absent="no value before the clients turned bad")
    after_ms: float | None = figure(
        "After.", unit="ms", better=Better.LOWER, absent="no value after the clients turned bad"
    )


class RateEffect(Effect):
    """The change of a rate."""

    before_per_s: float | None = figure("Before.", unit="1/s", absent="no whole second before the clients turned bad")
    after_per_s: float | None = figure(
        "After.", unit="1/s", better=Better.HIGHER, absent="no whole second after the clients turned bad"
    )


class BadClients(Part):
    """The bad clients. No figure outside of this part includes their streams."""

    at_s: float = figure("When they turned bad, from the start of the run.", unit="s", gt=0)
    planned: int = figure("Bad clients of the plan.", ge=0)
    turned: int = figure("Clients that turned bad.", share_of="bad.planned", ge=0)
    dropped: int = figure(
        "Clients whose connection the server closed.", share_of="bad.turned", better=Better.HIGHER, ge=0
    )
    held_at_end: int = figure(
        "Clients whose connection the server still held at the end of the run.",
        share_of="bad.turned",
        better=Better.LOWER,
        ge=0,
    )
    dropped_after: Durations | None = figure(
        "From turning bad until the server closed the connection, where it is known.",
        absent="no connection was closed, or the clients could not see when",
    )
    slow: BadClientsOfKind | None = figure("Clients that read slowly.", absent=_NOT_USED)
    vanish: BadClientsOfKind | None = figure("Clients that vanished without closing.", absent=_NOT_USED)
    abrupt: BadClientsOfKind | None = figure("Clients that reset the connection.", absent=_NOT_USED)
    half_request: BadClientsOfKind | None = figure("Clients that sent half of a request head.", absent=_NOT_USED)
    delivery_p50: LatencyEffect = figure("The median of delivery of the good streams.")
    delivery_p99: LatencyEffect = figure("The 99th percentile of delivery of the good streams.")
    gap_p99: LatencyEffect = figure("The 99th percentile of the gap of the good streams.")
    event_rate: RateEffect = figure("Events per second of the good streams.")
