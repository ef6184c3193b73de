"""The options of ``sse bench`` for the load and the measurement."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.request import FailOnErrorEvent
from sseclient_cli.cli.options.values import parse_count, parse_duration_s, parse_percent, parse_rate_per_s
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.run.arrivals import MAX_SEED, Arrivals
from sseclient_cli.run.plan import DEFAULT_STREAMS_PER_CONNECTION, OnEnd

DEFAULT_CONNECTIONS = 100
DEFAULT_DURATION_S = 10.0
DEFAULT_WORKERS = "auto"
MAX_REQUESTS_S = 600.0
"""The duration of a run with a number of requests, unless one is given: it ends before, with the last answer."""

_FIELD = "auto|none|id|FIELD"


def _time(*names: str, help_text: str, default: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        *names, parser=parse_duration_s, metavar="TIME", show_default=default or False, help=help_text
    )
    return option


@option_group
class LoadOptions:
    """How many streams to open, when, and what to do when one ends."""

    PANEL: ClassVar = "Load"

    connections: Annotated[
        int | None,
        typer.Option(
            "-n",
            "-c",
            "--connections",
            parser=parse_count,
            metavar="COUNT",
            show_default=str(DEFAULT_CONNECTIONS),
            help="Hold this many streams open; with --rate, open this many in all.",
        ),
    ] = None
    duration_s: Annotated[
        float | None,
        _time(
            "-z",
            "--duration",
            default="10s",
            help_text="Run for this time, including ramp-up: 500ms, 1m30s.",
        ),
    ] = None
    hold_s: Annotated[
        float | None,
        _time("--hold", help_text="Instead of --duration: run for this time after ramp-up."),
    ] = None
    ramp_up_s: Annotated[
        float | None,
        _time(
            "--ramp-up",
            default="1,000 streams per second, at most 1/4 of the run",
            help_text="Open the streams evenly over this time.",
        ),
    ] = None
    rate_per_s: Annotated[
        float | None,
        typer.Option(
            "--rate",
            parser=parse_rate_per_s,
            metavar="COUNT/s",
            show_default=False,
            help="Open COUNT new streams per second (open model).",
        ),
    ] = None
    arrivals: Annotated[
        Arrivals | None,
        typer.Option(
            "--arrivals",
            show_default=Arrivals.CONSTANT.value,
            help="With --rate: start streams at even intervals, or at random ones (Poisson).",
        ),
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            min=0,
            max=MAX_SEED,
            metavar="NUMBER",
            show_default="drawn, and reported",
            help="Repeat the random arrivals of the run with this seed.",
        ),
    ] = None
    lifetime_s: Annotated[
        float | None,
        _time(
            "--lifetime",
            help_text="Close each stream after this time, and replace it unless --rate is given.",
        ),
    ] = None
    streams_per_connection: Annotated[
        int | None,
        typer.Option(
            "--streams-per-connection",
            parser=parse_count,
            metavar="COUNT",
            show_default=str(DEFAULT_STREAMS_PER_CONNECTION),
            help="With --http2: let at most this many streams share a connection.",
        ),
    ] = None
    events: Annotated[
        int | None,
        typer.Option(
            "--events",
            parser=parse_count,
            metavar="COUNT",
            show_default=False,
            help="Close each stream after this many events.",
        ),
    ] = None
    requests: Annotated[
        int | None,
        typer.Option(
            "--requests",
            parser=parse_count,
            metavar="COUNT",
            show_default=False,
            help="End after this many streams in all; a slot starts the next one when the server ends one.",
        ),
    ] = None
    on_end: Annotated[
        OnEnd | None,
        typer.Option(
            "--on-end",
            show_default=f"{OnEnd.STOP.value}; {OnEnd.RESTART.value} with --llm, --mcp or --requests",
            help="When the server ends a stream: stop, reconnect (with Last-Event-ID, like a browser) or restart.",
        ),
    ] = None
    storm_s: Annotated[
        float | None,
        _time("--storm", help_text="At this time into the run, drop all connections and reconnect at once."),
    ] = None
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="URL",
            show_default=False,
            help="In the same run, open as many streams to this URL, and compare (headers are sent to both).",
        ),
    ] = None
    from_file: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            show_default=False,
            help="Repeat the run of this JSON report; other options override its own.",
        ),
    ] = None
    all_addresses: Annotated[
        bool, typer.Option("--all-addresses", help="Connect to all addresses of the host name, in turn.")
    ] = False
    no_preflight: Annotated[
        bool, typer.Option("--no-preflight", help="Skip the request before the run; only resolve the host name.")
    ] = False
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="auto|COUNT",
            show_default=DEFAULT_WORKERS,
            help="Run this many worker processes; auto: one per 1,000 streams, at most one per core.",
        ),
    ] = None


@option_group
class MeasurementOptions:
    """Which fields of the events to measure, and when a run fails."""

    PANEL: ClassVar = "Measurement"

    warmup_s: Annotated[
        float | None, _time("--warmup", default="0s", help_text="Exclude latencies of this first part of the run.")
    ] = None
    timestamp: Annotated[
        str | None,
        typer.Option(
            metavar=_FIELD,
            show_default=Choice.AUTO.value,
            help="Read the send time of an event from this field: id, or a path into its JSON data.",
        ),
    ] = None
    sequence: Annotated[
        str | None,
        typer.Option(
            metavar=_FIELD,
            show_default=Choice.AUTO.value,
            help="Find lost events by the sequence number in this field: id, or a path into its JSON data.",
        ),
    ] = None
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit with code 4 if the load generator was the bottleneck, 6 if a stream failed."
        ),
    ] = False
    max_failed_percent: Annotated[
        float | None,
        typer.Option(
            "--max-failed",
            parser=parse_percent,
            metavar="PERCENT",
            show_default=False,
            help="Exit with code 6 if more than this share of the streams fail: 5%.",
        ),
    ] = None
    fail_on_error_event: FailOnErrorEvent = False
