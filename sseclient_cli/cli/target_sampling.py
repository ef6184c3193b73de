"""Sampling of the target for ``sse bench``: sources from options, and messages before the run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sseclient_cli.cli.options.target_metrics import PID_OF_DEMO, TargetMetricsOptions
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.cli.options.output import BenchOutputOptions
    from sseclient_cli.report.model import Report
    from sseclient_cli.request.tls import Tls
    from sseclient_cli.run.coordinator import OnStart
    from sseclient_cli.target_metrics.sampling import Sampler, Source


class TargetSampling:
    """The samples of each run of a command, from before its start until the target has settled after its end."""

    def __init__(self, sources: list[Source], interval_s: int, settle_s: float) -> None:
        self._sources = sources
        self._interval_s = interval_s
        self._settle_s = settle_s
        self._sampler: Sampler | None = None
        self._said: set[str] = set()

    def start(self) -> OnStart:
        """Take the first samples of a run, and name each source that fails. The run goes on without it.

        Return the function that takes the time of the start.
        """
        from sseclient_cli.target_metrics.sampling import Sampler

        self._sampler = Sampler(self._sources, self._interval_s)
        self._sampler.start()
        for source, reason in self._sampler.problems.items():
            line = f"sse: {_visible(source)}: {_visible(reason)}; the run goes on\n"
            if line not in self._said:
                self._said.add(line)
                sys.stderr.write(line)
        return self._sampler.begin

    def close(self) -> None:
        """Stop sampling, also of a run that raised an error."""
        if self._sampler is not None:
            self._sampler.stop()
        for source in self._sources:
            source.close()

    def added_to(self, report: Report, output: BenchOutputOptions) -> Report:
        """Wait until the target has settled, and return the report with its metrics. Call it at the end of the run."""
        from rich.console import Console

        from sseclient_cli.render.terminal.live import waiting_view
        from sseclient_cli.report.target_build import with_target_metrics

        assert self._sampler is not None, "the run has not started"
        settle_s = 0.0 if report.run.interrupted else self._settle_s
        words = f"waiting up to {settle_s:g} s until memory and files of the target are back (Ctrl-C: do not wait)"
        with waiting_view(Console(stderr=True) if output.is_moving and settle_s else None, words):
            samples = self._sampler.finish(round(report.run.duration_s * 1e9), settle_s)
        return with_target_metrics(report, samples)


@contextmanager
def sampling(
    options: TargetMetricsOptions, tls: Tls, interval_s: int, demo_pid: int | None
) -> Iterator[TargetSampling | None]:
    """Yield the sampling of the options; None without one. Raises UsageError before the run."""
    sources = _sources(options, tls, demo_pid)
    if not sources:
        yield None
        return
    samples = TargetSampling(sources, interval_s, options.settle_s)
    try:
        yield samples
    finally:
        samples.close()


def _sources(options: TargetMetricsOptions, tls: Tls, demo_pid: int | None) -> list[Source]:
    if options.scrape_series and not options.scrape:
        raise UsageError("--scrape-series needs an endpoint: add --scrape URL")
    sources: list[Source] = []
    if options.pid:
        from sseclient_cli.target_metrics.process import ProcessSource

        pids = dict.fromkeys(_pid(text, demo_pid) for text in options.pid)
        sources += [ProcessSource(pid) for pid in pids]
    if options.scrape:
        from sseclient_cli.target_metrics.endpoint import EndpointSource, selector_of

        selectors = [selector_of(text) for text in dict.fromkeys(options.scrape_series or ())]
        sources += [EndpointSource(url, selectors, tls.context()) for url in dict.fromkeys(options.scrape)]
    return sources


def _pid(text: str, demo_pid: int | None) -> int:
    if text != PID_OF_DEMO:
        return int(text)
    if demo_pid is None:
        raise UsageError("--pid demo is the process of the bundled server: it needs the URL demo")
    return demo_pid


def _visible(text: str) -> str:
    from sseclient_cli.escaping import visible

    return visible(" ".join(text.split()), keep_lines=False)
