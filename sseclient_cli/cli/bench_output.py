"""The output of a run: its report and its summary, each in a file or on a standard stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from sseclient_cli.cli.result_file import ResultFile
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from sseclient_cli.cli.demo import ServerTally
    from sseclient_cli.report.limit_model import LimitSearch
    from sseclient_cli.report.model import Report


class BenchOutput:
    """Writes report and summary at the end of a run; ``opened`` checks before the run that the files are writable."""

    def __init__(self, json_file: ResultFile | None, text_file: ResultFile | None, *, quiet: bool) -> None:
        self._json_file = json_file
        self._text_file = text_file
        self._quiet = quiet
        if json_file is not None and text_file is not None and json_file.is_same(text_file):
            raise UsageError("--json and --output name the same file: give two")

    def write(self, report: Report, tally: ServerTally | None) -> None:
        """Write the report and the summary. An error with the report does not keep the summary from being written."""
        from sseclient_cli.report.read import to_json

        try:
            if self._json_file is not None:
                self._json_file.write(to_json(report))
        finally:
            self._write_summary(report, tally)

    def write_search(self, search: LimitSearch) -> None:
        """Write the document and the summary of a limit search."""
        from rich.console import Console

        from sseclient_cli.render.terminal.limit_view import limit_summary
        from sseclient_cli.report.read import to_json

        if self._json_file is not None:
            self._json_file.write(to_json(search))
        if not self._quiet:
            to_stderr = self._json_file is not None and self._json_file.is_stdout
            Console(stderr=to_stderr, highlight=False).print(limit_summary(search))

    def _write_summary(self, report: Report, tally: ServerTally | None) -> None:
        from rich.console import Console

        if self._text_file is not None:
            text = StringIO()
            _print_summary(report, tally, Console(file=text, color_system=None, highlight=False))
            self._text_file.write(text.getvalue())
        elif not self._quiet:
            to_stderr = self._json_file is not None and self._json_file.is_stdout
            _print_summary(report, tally, Console(stderr=to_stderr, highlight=False))


@contextmanager
def opened(json_path: Path | None, text_path: Path | None, *, quiet: bool) -> Iterator[BenchOutput]:
    """Yield the outputs. Raises UsageError for a file that is not writable, before the run."""
    with ExitStack() as stack:
        files = [
            None if path is None else stack.enter_context(closing(ResultFile(path, suffix)))
            for path, suffix in ((json_path, ".json"), (text_path, ".txt"))
        ]
        yield BenchOutput(*files, quiet=quiet)


def _print_summary(report: Report, tally: ServerTally | None, console: Console) -> None:
    from sseclient_cli.render.terminal.summary import summary

    console.print(summary(report))
    if tally is not None:
        opened_count, sent = tally.streams_opened, tally.events_sent
        console.print(f"The server counted {opened_count:,} streams opened and {sent:,} events sent.")
