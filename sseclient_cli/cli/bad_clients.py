"""Options that bad clients exclude, and options that they need."""

from __future__ import annotations

from sseclient_cli.cli.options.bad_clients import BadClientOptions
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.load import LoadOptions
from sseclient_cli.cli.options.searching import SearchOptions
from sseclient_cli.errors import UsageError


def check_bad_clients(
    bad: BadClientOptions, load: LoadOptions, connection: ConnectionOptions, search: SearchOptions
) -> None:
    """Raise UsageError for options that have no meaning with bad clients, or if a client cannot vanish here."""
    names = [
        name
        for name, value in (
            ("--slow", bad.slow),
            ("--vanish", bad.vanish),
            ("--abrupt", bad.abrupt),
            ("--half-request", bad.half_request),
        )
        if value is not None
    ]
    if not names:
        if bad.bad_at_s is not None:
            raise UsageError("--bad-at needs bad clients: add --slow, --vanish, --abrupt or --half-request")
        return
    for option, is_given, reason in (
        ("--storm", load.storm_s is not None, "run them separately, or one hides the effect of the other"),
        ("--find-limit", bool(search.find_limit), "it varies the load on good clients"),
        ("--sweep", search.sweep is not None, "it varies the load on good clients"),
        ("--unix-socket", connection.unix_socket is not None, "bad clients need TCP"),
    ):
        if is_given:
            raise UsageError(f"{names[0]} and {option} exclude each other: {reason}")
    if bad.vanish is not None:
        from sseclient_cli.engine.bad_sockets import require_vanishing

        require_vanishing()
