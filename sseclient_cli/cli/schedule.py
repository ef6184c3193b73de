"""Build the plan of a run from its options."""

from __future__ import annotations

from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.load import DEFAULT_CONNECTIONS, DEFAULT_DURATION_S, LoadOptions, MeasurementOptions
from sseclient_cli.cli.options.values import parse_statuses
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.field_choice import parse_field_choice
from sseclient_cli.run.plan import Plan, default_ramp_up_s


def plan_of(load: LoadOptions, measurement: MeasurementOptions, connection: ConnectionOptions | None = None) -> Plan:
    """Return the plan of these options. Raises UsageError for options that exclude each other."""
    connection = connection or ConnectionOptions()
    connections, duration_s, hold_s = load.connections, load.duration_s, load.hold_s
    ramp_up_s, rate_per_s = load.ramp_up_s, load.rate_per_s
    for both, words in (
        ((duration_s, hold_s), "--duration and --hold exclude each other: leave one out"),
        ((ramp_up_s, rate_per_s), "--ramp-up and --rate exclude each other: leave one out"),
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
        warmup_s=measurement.warmup_s,
        lifetime_s=load.lifetime_s,
        refill=rate_per_s is None,
        storm_s=load.storm_s,
        events=load.events,
        on_end=load.on_end,
        retry_statuses=parse_statuses(connection.retry_statuses),
        timestamp=parse_field_choice(measurement.timestamp),
        sequence=parse_field_choice(measurement.sequence),
        max_event_bytes=connection.max_event_bytes,
        idle_timeout_s=connection.idle_timeout_s,
        counts_error_events=measurement.fail_on_error_event,
    )


def _arrivals(
    rate_per_s: float, connections: int | None, duration_s: float | None, hold_s: float | None
) -> tuple[int, float]:
    """Return the number of streams that an arrival rate opens, and the time that it takes."""
    run_s = duration_s or DEFAULT_DURATION_S
    if connections is None:
        if hold_s is not None:
            raise UsageError("--rate with --hold needs the number of streams: add --connections COUNT")
        connections = max(int(rate_per_s * run_s), 1)
        # n / rate may exceed the duration by a rounding error.
        return connections, min(connections / rate_per_s, run_s)
    takes_s = connections / rate_per_s
    if hold_s is None and takes_s > run_s:
        raise UsageError(
            f"opening {connections:,} streams at {rate_per_s:g} per second takes {takes_s:g} s, longer than the run: "
            "raise --duration or --rate, or lower --connections"
        )
    return connections, takes_s
