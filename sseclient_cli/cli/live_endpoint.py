"""``--prometheus-port``: an HTTP endpoint with live metrics of the run, for Prometheus to scrape."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.run.progress import Progress

    Show = Callable[[Progress], None]

LOOPBACK = "127.0.0.1"


@contextmanager
def live_endpoint(address: str | None, url: str, *, quiet: bool) -> Iterator[Show | None]:
    """Serve live metrics at ``[HOST:]PORT`` while the block runs; yield the function that takes progress.

    Raises UsageError if the port is taken, or prometheus-client is missing.
    """
    if address is None:
        yield None
        return
    try:
        from prometheus_client import CollectorRegistry, start_http_server

        from sseclient_cli.render.live_metrics import LiveMetrics
    except ImportError as exc:
        if (exc.name or "").partition(".")[0] != "prometheus_client":
            raise
        raise UsageError("--prometheus-port needs prometheus-client: pip install 'sseclient-cli[prometheus]'") from None
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or LOOPBACK
    registry = CollectorRegistry()
    metrics = LiveMetrics(url)
    registry.register(metrics)
    try:
        server, thread = start_http_server(int(port), host, registry)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise UsageError(f"--prometheus-port {address}: {reason}; choose another port, or 0 for any free one") from exc
    try:
        if not quiet:
            shown = f"[{host}]" if ":" in host else host
            sys.stderr.write(f"live metrics: http://{shown}:{server.server_port}/metrics\n")
        yield metrics.show
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def shown_by_all(shows: list[Show | None]) -> Show | None:
    """Return a function that passes progress to each of the functions; None without one."""
    wanted = [each for each in shows if each is not None]
    if not wanted:
        return None

    def show(progress: Progress) -> None:
        for each in wanted:
            each(progress)

    return show
