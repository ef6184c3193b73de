"""The options of ``sse bench`` for clients that behave badly on purpose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from sseclient_cli.cli.options.grouped import option_group
from sseclient_cli.cli.options.values import parse_count, parse_duration_s, parse_percent, parse_size_bytes
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.run.bad_clients import BadClients, Share, default_bad_at_s

_RATE_SUFFIX = re.compile(r"/s$")


@dataclass(frozen=True, slots=True)
class Slow:
    """The value of ``--slow``."""

    share: Share
    bytes_per_s: int


def parse_share(text: str | Share) -> Share:
    """Read ``5%``, ``0.5%`` or a count of streams."""
    if not isinstance(text, str):
        return text
    if text.strip().endswith("%"):
        return Share(parse_percent(text), is_percent=True)
    try:
        return Share(parse_count(text), is_percent=False)
    except typer.BadParameter:
        raise typer.BadParameter(f"{text!r} is not a share of the streams: write it like 5% or 20") from None


def parse_slow(text: str | Slow) -> Slow:
    """Read ``5%:1kB/s``: a share of the streams, and the bytes per second that each of them reads."""
    if not isinstance(text, str):
        return text
    share, colon, rate = text.partition(":")
    if not colon:
        raise typer.BadParameter(f"{text!r} has no speed: write it like 5%:1kB/s or 10:500B/s")
    return Slow(parse_share(share), parse_size_bytes(_RATE_SUFFIX.sub("", rate.strip())))


def _share(name: str, help_text: str) -> Any:
    return typer.Option(name, parser=parse_share, metavar="SHARE", show_default=False, help=help_text)


@option_group
class BadClientOptions:
    """A share of the streams that behaves badly from some time on."""

    PANEL: ClassVar = "Bad clients"

    slow: Annotated[
        Slow | None,
        typer.Option(
            "--slow",
            parser=parse_slow,
            metavar="SHARE:SIZE/s",
            show_default=False,
            help="Make a share of the streams (5%, or a count) read this slowly: 5%:1kB/s.",
        ),
    ] = None
    vanish: Annotated[Share | None, _share("--vanish", "A share vanishes without closing: no FIN, no ACK (Linux).")] = (
        None
    )
    abrupt: Annotated[Share | None, _share("--abrupt", "A share resets its connections (RST).")] = None
    half_request: Annotated[
        Share | None, _share("--half-request", "A share sends half of a request head, then nothing.")
    ] = None
    bad_at_s: Annotated[
        float | None,
        typer.Option(
            "--bad-at",
            parser=parse_duration_s,
            metavar="TIME",
            show_default="a third of the run after ramp-up",
            help="Turn these clients bad at this time into the run.",
        ),
    ] = None

    def bad_clients(self, ramp_up_s: float, duration_s: float) -> BadClients | None:
        """Return the bad clients of a plan; None without one."""
        shares = [(kind, share) for kind in BadKind if (share := self._share_of(kind)) is not None]
        if not shares:
            return None
        return BadClients(
            at_s=default_bad_at_s(ramp_up_s, duration_s) if self.bad_at_s is None else self.bad_at_s,
            shares=tuple(shares),
            slow_bytes_per_s=None if self.slow is None else self.slow.bytes_per_s,
        )

    def _share_of(self, kind: BadKind) -> Share | None:
        if kind is BadKind.SLOW:
            return None if self.slow is None else self.slow.share
        share: Share | None = getattr(self, kind.value)
        return share
