"""The options that say what a run is to do, and the plan that they make together."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from sseclient_cli.cli.options import parse_count, parse_duration_s
from sseclient_cli.errors import UsageError
from sseclient_cli.load.plan import OnEnd, Plan, default_ramp_up_s, parse_field_choice

DEFAULT_CONNECTIONS = 100
DEFAULT_DURATION_S = 10.0

_RATE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:/([smh]))?")
_SECONDS_OF = {"s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}

_FIELD = "auto|none|id|FIELD"


def parse_rate_per_s(text: str | float) -> float:
    """Read ``200/s``, ``30/m``, ``5/h`` or a bare number per second."""
    if not isinstance(text, str):
        return text
    match = _RATE.fullmatch(text.strip())
    rate_per_s = float(match[1]) / _SECONDS_OF[match[2]] if match else 0.0
    if not 0 < rate_per_s <= 1_000_000:
        raise typer.BadParameter(f"{text!r} is not a rate: write it like 200/s or 30/m")
    return rate_per_s


def _time(*names: str, help_text: str, default: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        *names, parser=parse_duration_s, metavar="TIME", show_default=default or False, help=help_text
    )
    return option


Connections = Annotated[
    int | None,
    typer.Option(
        "-n",
        "-c",
        "--connections",
        parser=parse_count,
        metavar="COUNT",
        show_default=str(DEFAULT_CONNECTIONS),
        help="How many streams to hold open; with --rate, how many to open in all.",
    ),
]
Duration = Annotated[
    float | None,
    _time("-z", "--duration", default="10s", help_text="How long the run takes, opening included: 10s, 1m30s."),
]
Hold = Annotated[
    float | None, _time("--hold", help_text="Instead of -z: how long the run goes on once the last stream has started.")
]
RampUp = Annotated[
    float | None,
    _time(
        "--ramp-up",
        default="1,000 streams a second, at most a quarter of the run",
        help_text="Open the streams evenly over this time.",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        parser=parse_rate_per_s,
        metavar="COUNT/s",
        show_default=False,
        help="Open so many new streams per second, whatever becomes of the others (an open model).",
    ),
]
Lifetime = Annotated[
    float | None,
    _time(
        "--lifetime",
        help_text="Close each stream after this time and open another in its place; --rate brings others by itself.",
    ),
]
Events = Annotated[
    int | None,
    typer.Option(
        "--events", parser=parse_count, metavar="COUNT", show_default=False, help="Close each stream after that many."
    ),
]
WhenEnded = Annotated[
    OnEnd,
    typer.Option(
        "--on-end",
        help="What becomes of a stream that the server ends: nothing; as browsers do, a connection that goes on after "
        "the last event ID; or a new stream at once.",
    ),
]
Storm = Annotated[
    float | None,
    _time("--storm", help_text="At this time of the run, drop every connection and reconnect all at once."),
]
Warmup = Annotated[
    float, _time("--warmup", default="0s", help_text="Leave out the latencies of this first part of the run.")
]
Timestamp = Annotated[
    str, typer.Option(metavar=_FIELD, help="Where an event says when it was sent: its id, or a path into its JSON.")
]
Sequence = Annotated[str, typer.Option(metavar=_FIELD, help="Where an event says its number, for the audit of losses.")]


def plan_of(
    *,
    connections: int | None,
    duration_s: float | None,
    hold_s: float | None,
    ramp_up_s: float | None,
    rate_per_s: float | None,
    lifetime_s: float | None,
    events: int | None,
    on_end: OnEnd,
    retry_statuses: frozenset[int],
    storm_s: float | None,
    warmup_s: float,
    timestamp: str,
    sequence: str,
    max_event_bytes: int | None = None,
    idle_timeout_s: float | None = None,
    counts_error_events: bool = False,
) -> Plan:
    """Make the plan that these options ask for together. Raises UsageError for those that exclude each other."""
    for both, words in (
        ((duration_s, hold_s), "-z is the whole run and --hold a part of it: give one of them"),
        ((ramp_up_s, rate_per_s), "--ramp-up and --rate both say how fast streams are opened: give one of them"),
    ):
        if None not in both:
            raise UsageError(words)
    if rate_per_s is not None:
        connections, ramp_up_s = _arrivals(rate_per_s, connections, duration_s, hold_s)
    connections = connections or DEFAULT_CONNECTIONS
    if duration_s is None and hold_s is None:
        duration_s = DEFAULT_DURATION_S
    if ramp_up_s is None:
        ramp_up_s = default_ramp_up_s(connections, duration_s)
    return Plan(
        connections=connections,
        duration_s=ramp_up_s + (hold_s or 0) if duration_s is None else duration_s,
        ramp_up_s=ramp_up_s,
        warmup_s=warmup_s,
        lifetime_s=lifetime_s,
        refill=rate_per_s is None,
        storm_s=storm_s,
        events=events,
        on_end=on_end,
        retry_statuses=retry_statuses,
        timestamp=parse_field_choice(timestamp),
        sequence=parse_field_choice(sequence),
        max_event_bytes=max_event_bytes,
        idle_timeout_s=idle_timeout_s,
        counts_error_events=counts_error_events,
    )


def _arrivals(
    rate_per_s: float, connections: int | None, duration_s: float | None, hold_s: float | None
) -> tuple[int, float]:
    """Return how many streams a rate opens in all, and how long that takes."""
    run_s = duration_s or DEFAULT_DURATION_S
    if connections is None:
        if hold_s is not None:
            raise UsageError("--rate with --hold needs -n: how many streams are opened in all?")
        connections = max(int(rate_per_s * run_s), 1)
        # No later than the end: in floating point, n / rate may be.
        return connections, min(connections / rate_per_s, run_s)
    takes_s = connections / rate_per_s
    if hold_s is None and takes_s > run_s:
        raise UsageError(
            f"{connections:,} streams at {rate_per_s:g} per second take {takes_s:g} s, which is longer than the run: "
            "raise -z or --rate, or lower -n"
        )
    return connections, takes_s
