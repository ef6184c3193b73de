"""Build the plan of a run from its options."""

from __future__ import annotations

import secrets
from dataclasses import fields, replace

from sseclient_cli.cli.options.bad_clients import BadClientOptions
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.grouped import given
from sseclient_cli.cli.options.llm import LlmOptions
from sseclient_cli.cli.options.load import (
    DEFAULT_CONNECTIONS,
    DEFAULT_DURATION_S,
    MAX_REQUESTS_S,
    LoadOptions,
    MeasurementOptions,
)
from sseclient_cli.cli.options.mcp import McpOptions
from sseclient_cli.cli.options.values import parse_statuses
from sseclient_cli.errors import UsageError
from sseclient_cli.measure.field_choice import Choice, parse_field_choice
from sseclient_cli.run.arrivals import MAX_SEED, Arrivals
from sseclient_cli.run.plan import OnEnd, Plan, default_ramp_up_s

_FIELDS = frozenset(each.name for each in fields(Plan))

_PARSERS = {"timestamp": parse_field_choice, "sequence": parse_field_choice, "retry_statuses": parse_statuses}
"""The options whose text is not the value of the plan."""


def plan_of(
    load: LoadOptions,
    measurement: MeasurementOptions,
    connection: ConnectionOptions | None = None,
    bad: BadClientOptions | None = None,
    llm: LlmOptions | None = None,
    mcp: McpOptions | None = None,
) -> Plan:
    """Return the plan of these options. Raises UsageError for options that exclude each other.

    An option with the name of a field of the plan sets it.
    """
    _check_arrivals(load)
    connections, duration_s, ramp_up_s = _size(load)
    options = given(_FIELDS, load, measurement, connection or ConnectionOptions())
    options |= {name: parse(options[name]) for name, parse in _PARSERS.items() if name in options}
    choices = {"llm": (llm or LlmOptions()).choice(), "mcp": (mcp or McpOptions()).choice()}
    if any(choices.values()) or load.requests is not None:
        options = _of_requests(load) | options
    if any(choices.values()):
        _check_requests(load, "--llm" if choices["mcp"] is None else "--mcp")
        # The chunks of an answer have no send time of their own, and `created` is in whole seconds.
        options = {"timestamp": Choice.NONE, "sequence": Choice.NONE, **choices} | options
    options |= {
        "connections": connections,
        "duration_s": duration_s,
        "ramp_up_s": ramp_up_s,
        "refill": load.rate_per_s is None,
        "counts_error_events": measurement.fail_on_error_event,
        "bad_clients": (bad or BadClientOptions()).bad_clients(ramp_up_s, duration_s),
    }
    return Plan(**options)


def seeded(load: LoadOptions) -> LoadOptions:
    """Return the options with a seed: a drawn one if random arrivals have none, so that all steps of a run share it."""
    if load.arrivals is not Arrivals.POISSON or load.seed is not None:
        return load
    return replace(load, seed=secrets.randbelow(MAX_SEED + 1))


def _check_arrivals(load: LoadOptions) -> None:
    """Raise UsageError for options of an arrival rate without one."""
    if load.arrivals is not None and load.rate_per_s is None:
        raise UsageError("--arrivals needs the rate of new streams: add --rate COUNT/s")
    if load.seed is not None and load.arrivals is not Arrivals.POISSON:
        raise UsageError("--seed needs random arrivals: add --arrivals poisson")


def _check_requests(load: LoadOptions, of: str) -> None:
    """Raise UsageError for options that cut the answers, so that none would succeed."""
    for option, value in (("--storm", load.storm_s), ("--events", load.events)):
        if value is not None:
            raise UsageError(f"{option} and {of} exclude each other: each request is sent once, and read to its end")


def _of_requests(load: LoadOptions) -> dict[str, OnEnd]:
    """Return the defaults of a run of requests: a slot sends one after another, or one arrives after another."""
    return {} if load.rate_per_s is not None else {"on_end": OnEnd.RESTART}


def _size(load: LoadOptions) -> tuple[int, float, float]:
    """Return the number of streams, the duration of the run and of its ramp-up."""
    connections, duration_s, hold_s = load.connections, load.duration_s, load.hold_s
    if load.requests is not None:
        connections = min(connections or DEFAULT_CONNECTIONS, load.requests)
        if duration_s is None and hold_s is None:
            duration_s = MAX_REQUESTS_S
    ramp_up_s, rate_per_s = load.ramp_up_s, load.rate_per_s
    for both, words in (
        ((duration_s, hold_s), "--duration and --hold exclude each other: leave one out"),
        ((ramp_up_s, rate_per_s), "--ramp-up and --rate exclude each other: leave one out"),
    ):
        if None not in both:
            raise UsageError(words)
    if rate_per_s is not None:
        connections = load.requests or connections
        connections, ramp_up_s = _arrivals(rate_per_s, connections, duration_s, hold_s)
    connections = connections or DEFAULT_CONNECTIONS
    if duration_s is None and hold_s is None:
        duration_s = DEFAULT_DURATION_S
    if ramp_up_s is None:
        ramp_up_s = default_ramp_up_s(connections, duration_s)
    return connections, ramp_up_s + (hold_s or 0) if duration_s is None else duration_s, ramp_up_s


def _arrivals(
    rate_per_s: float, connections: int | None, duration_s: float | None, hold_s: float | None
) -> tuple[int, float]:
    """Return the number of streams that an arrival rate opens, and the time that it takes."""
    if hold_s is not None:
        if connections is None:
            raise UsageError("--rate with --hold needs the number of streams: add --connections COUNT")
        return connections, connections / rate_per_s
    run_s = duration_s or DEFAULT_DURATION_S
    most = max(int(rate_per_s * run_s), 1)
    connections = connections or most
    takes_s = connections / rate_per_s
    if connections > most and takes_s > run_s:
        raise UsageError(
            f"opening {connections:,} streams at {rate_per_s:g} per second takes {takes_s:g} s, longer than the run: "
            "raise --duration or --rate, or lower --connections"
        )
    # n / rate may exceed the duration by a rounding error, and 1 / rate at a low rate.
    return connections, min(takes_s, run_s)
