"""The words of findings on the target's own metrics: what it keeps after a run, and samples that failed."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always
from sseclient_cli.render.quantities import counted, size


def _keeps_files(figures: Figures) -> str:
    more = "1 more file" if figures["kept"] == 1 else f"{figures['kept']:,} more files"
    return (
        f"The target had {more} open {figures['waited_s']:.1f} s after the run than before it "
        f"({figures['before']:,} before, {figures['peak']:,} at most, {figures['after']:,} after)."
    )


def _keeps_memory(figures: Figures) -> str:
    return (
        f"The target kept {size(figures['kept_bytes'])} of the {size(figures['rise_bytes'])} by which its memory rose, "
        f"{figures['waited_s']:.1f} s after the run."
    )


def _samples_failed(figures: Figures) -> str:
    return (
        f"{figures['failed']:,} of {counted(figures['samples'], 'sample')} of {figures['source']} failed. The first "
        f"one: {figures['error']}."
    )


def _series_missing(figures: Figures) -> str:
    return f"{figures['source']} has no value of {figures['series']}: {figures['reason']}."


WORDS = {
    "target-keeps-files": Words(
        _keeps_files,
        always(
            "Check that the server closes the connection of a client that left, and all files that it opened for it. "
            "If it notices the end only at its next write, wait for it: --settle 30s."
        ),
    ),
    "target-keeps-memory": Words(
        _keeps_memory,
        always(
            "Run again without a restart of the server. Memory that rises again by as much is a leak; otherwise it is "
            "a cache, or freed memory that the allocator keeps."
        ),
    ),
    "target-samples-failed": Words(
        _samples_failed,
        always("Its series have gaps. A server that does not answer during the run is overloaded or has ended."),
    ),
    "target-series-missing": Words(_series_missing, always("Check the name: `curl URL | grep NAME` shows the series.")),
}
