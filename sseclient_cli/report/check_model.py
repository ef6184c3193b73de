"""The document of `sse check`: the result of each check of one endpoint, and the figures behind them."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from sseclient_cli.check.catalogue import Status
from sseclient_cli.report.figure import Part, figure
from sseclient_cli.report.model import SCHEMA, Tool


class CheckedItem(Part):
    """The result of one check."""

    name: str = figure("The stable name of the check.")
    title: str = figure("Its title.")
    status: Status = figure("ok, warning, fault, or not checked.")
    seen: str = figure("What was seen, or why it was not checked.")
    fix: str = figure("How to fix it, in one sentence; empty if there is nothing to fix.")
    meaning: str = figure("Why it matters.")


class CheckCounts(Part):
    """The number of checks by status."""

    ok: int = figure("Checks without a problem.", ge=0)
    warnings: int = figure("Checks with a warning.", ge=0)
    faults: int = figure("Checks with a fault.", ge=0)
    not_checked: int = figure("Checks that could not be decided, or were ignored.", ge=0)


class CheckFigures(Part):
    """What was measured on the first connection."""

    head_ms: float = figure("The time from the request to the response head.", unit="ms", ge=0)
    first_byte_ms: float | None = figure(
        "The time to the first byte of the body.", unit="ms", absent="no byte arrived", ge=0
    )
    first_event_ms: float | None = figure("The time to the first event.", unit="ms", absent="no event arrived", ge=0)
    events: int = figure("Events received.", ge=0)
    comments: int = figure("Comments received.", ge=0)
    bytes: int = figure("Bytes of the body, decompressed.", ge=0)
    longest_silence_s: float = figure("The longest time without a byte.", unit="s", ge=0)
    heartbeat_interval_s: float | None = figure(
        "The median time between two heartbeats: comments, or events of a type such as ping.",
        unit="s",
        absent="too few heartbeats arrived",
        ge=0,
    )
    retry_ms: int | None = figure("The last `retry` field.", unit="ms", absent="the stream has no `retry` field", ge=0)
    largest_event_bytes: int | None = figure("The size of the largest event.", absent="no event arrived", ge=0)


class CheckReport(Part):
    """The document of a check."""

    schema_: Literal[2] = figure("The number of this schema.", alias="schema", default=SCHEMA)
    document: Literal["check"] = figure("The kind of this document.", default="check")
    tool: Tool = figure("The program that wrote the document.")
    method: str = figure("The method of the request.")
    urls: list[str] = figure("The URLs of the redirect chain, without credentials; the last one is the stream's.")
    status: int = figure("The status of the response.")
    started_at: AwareDatetime = figure("When the check began.")
    duration_s: float = figure("How long it took.", unit="s", ge=0)
    counts: CheckCounts = figure("The number of checks by status.")
    figures: CheckFigures = figure("What was measured on the first connection.")
    checks: list[CheckedItem] = figure("The checks, in a fixed order.")
