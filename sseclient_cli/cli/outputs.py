"""The output of a command that makes a document: files by suffix, and the summary in a file or on a standard stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sseclient_cli.cli.formats import REPORT, TEXT, Format, format_named, format_of
from sseclient_cli.cli.options.checking import CheckOutputOptions
from sseclient_cli.cli.options.output import DocumentOutputOptions
from sseclient_cli.cli.result_file import ResultFile
from sseclient_cli.errors import OutputError, SseError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from sseclient_cli.cli.demo import ServerTally


@dataclass(frozen=True, slots=True)
class _Output:
    format: Format
    file: ResultFile
    path: Path


class Outputs:
    """Writes a document to its files, and its summary; ``opened`` checks before a run that the files are writable."""

    def __init__(self, outputs: list[_Output], summary: Format, *, quiet: bool) -> None:
        self._outputs = outputs
        self._summary = summary
        self._quiet = quiet
        for one, other in combinations(outputs, 2):
            if one.file.is_same(other.file):
                name = "stdout" if one.file.is_stdout else one.path
                raise UsageError(f"two outputs go to {name}: give each a file of its own")

    def write(self, document: Any, tally: ServerTally | None = None) -> None:
        """Write the files and the summary. An error with one of them does not keep the others from being written."""
        errors: list[SseError] = []
        for output in self._outputs:
            try:
                text = self._text(output.format, document, tally)
            except OutputError as exc:
                errors.append(OutputError(f"could not make {output.path}: {exc}"))
                continue
            except Exception as exc:  # noqa: BLE001 - a bug in one renderer must not cost the result of a long run
                errors.append(OutputError(f"could not make {output.path}: {type(exc).__name__}: {exc}"))
                continue
            try:
                output.file.write(text)
            except SseError as exc:
                errors.append(exc)
        is_text_written = any(output.format.suffix == TEXT for output in self._outputs)
        if not (self._quiet or is_text_written):
            from rich.console import Console

            to_stderr = any(output.file.is_stdout for output in self._outputs)
            self._print(document, tally, Console(stderr=to_stderr, highlight=False))
        if errors:
            raise errors[0]

    def _text(self, form: Format, document: Any, tally: ServerTally | None) -> str:
        if form.suffix != TEXT:
            return str(form.render(document))
        from rich.console import Console

        text = StringIO()
        self._print(document, tally, Console(file=text, color_system=None, highlight=False))
        return text.getvalue()

    def _print(self, document: Any, tally: ServerTally | None, console: Console) -> None:
        console.print(self._summary.render(document))
        if tally is not None:
            opened_count, sent = tally.streams_opened, tally.events_sent
            console.print(f"The server counted {opened_count:,} streams opened and {sent:,} events sent.")


@contextmanager
def opened(
    options: DocumentOutputOptions | CheckOutputOptions, kind: str, *, shows_all_hosts: bool = False
) -> Iterator[Outputs]:
    """Yield the outputs of a kind of document. Raises UsageError for a wrong suffix or a file that is not writable.

    With ``shows_all_hosts``, the summary of a run has all machines of a cluster.
    """
    wanted = [(format_of(path, kind), path) for path in options.output_files or ()]
    for suffix, path in ((".json", options.json_file), (".html", options.html_file)):
        if path is not None:
            wanted.append((format_named(suffix, kind), path))
    with ExitStack() as stack:
        outputs = [
            _Output(form, stack.enter_context(closing(ResultFile(path, form.suffix))), path) for form, path in wanted
        ]
        summary = format_named(TEXT, kind)
        if shows_all_hosts and kind == REPORT:
            summary = replace(summary, arguments={"shows_all_hosts": True})
        yield Outputs(outputs, summary, quiet=options.quiet)
