"""The command line: the commands, each in a file of its own, and how they end.

Every error becomes one line on stderr and an exit code of ``errors.py``; a traceback is a bug. A command is imported
when it runs, and heavy modules inside commands, so that ``sse --help`` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Annotated, Any, TextIO

import typer
from typer.exceptions import TyperException

from sseclient_cli import __version__
from sseclient_cli.cli.commands import ENTRIES, PLAIN, CommandGroup, function_of
from sseclient_cli.cli.stdout import with_blocking_writes, write_all
from sseclient_cli.errors import LimitError, SseError, UsageError
from sseclient_cli.exit_codes import EXIT_INTERRUPTED

app = typer.Typer(name="sse", cls=CommandGroup, **PLAIN)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sse {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def sse(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch and check Server-Sent Events streams, and load-test them with thousands of connections."""
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(UsageError.exit_code)


def main() -> None:
    """Run the command of the process, and exit with its code."""
    _open_standard_streams()
    code = _run()
    # The command has ended: a Ctrl-C while Python shuts down would only print a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except OSError as exc:
        _point_to_null(sys.stdout)
        code = code or _output_failed(exc)
    try:
        sys.stderr.flush()
    except OSError:  # a closed terminal; it does not change the exit code
        _point_to_null(sys.stderr)
    sys.exit(code)


def _point_to_null(stream: TextIO) -> None:
    """Redirect a stream to /dev/null: otherwise the interpreter fails again when it flushes the stream at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_standard_streams() -> None:
    """Open streams that the caller closed (``sse ... <&-``): uvloop aborts if a socket has a number below 3."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    # Python sets a stream to None if it was closed at start.
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = with_blocking_writes(sys.stdout), with_blocking_writes(sys.stderr)


def _run() -> int:
    try:
        return app(standalone_mode=False) or 0
    except SseError as exc:
        return _fail(_advised(exc), exc.exit_code)
    except TyperException as exc:
        return _fail(_usage(exc), exc.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except OSError as exc:
        # Connections and files raise SseError: an OSError that gets here is an error of stdout.
        return _output_failed(exc)


def _advised(exc: SseError) -> str:
    """Return the line for an error that ended a command."""
    from sseclient_cli.cli.advice import line_of

    name = sys.argv[1] if sys.argv[1:] else ""
    return line_of(exc, function_of(name) if name in ENTRIES and ENTRIES[name].has_request else None)


def _usage(exc: TyperException) -> str:
    """Return the line for a wrong command line, with a better one."""
    if hasattr(exc, "possibilities"):
        return _no_such_option(exc)
    if isinstance(exc, typer.BadParameter) and exc.param is not None and exc.param.param_type_name == "option":
        from sseclient_cli.cli.options.grouped import long_name

        # Pydantic begins the message of a ValueError like this.
        return f"{long_name(exc.param.opts)}: {exc.message.removeprefix('Value error, ')}"
    said = exc.format_message().rstrip(".")
    said = said[:1].lower() + said[1:]
    is_url = "no such command" in said and "://" in said
    return f"{said}: write `sse watch URL` or `sse bench URL`" if is_url else said


def _no_such_option(exc: Any) -> str:
    """Return the line for an unknown option. Typer would list up to three options, often unrelated ones."""
    from difflib import get_close_matches

    from sseclient_cli.cli.habits import habit_hint

    known = set() if exc.ctx is None else {name for each in exc.ctx.command.params for name in each.opts}
    hint = habit_hint(exc.option_name, known)
    similar = get_close_matches(exc.option_name, known, n=1, cutoff=0.75)
    if not hint and similar:
        hint = f"did you mean {similar[0]}?"
    return f"no such option: {exc.option_name}{': ' if hint else ''}{hint}"


def _output_failed(exc: OSError) -> int:
    if isinstance(exc, BrokenPipeError):
        return 0  # the reader of the pipe has exited (`sse watch ... | head`)
    return _fail(f"cannot write the output: {(exc.strerror or str(exc)).lower()}", LimitError.exit_code)


def _fail(message: str, code: int) -> int:
    from sseclient_cli.escaping import visible

    # Not sys.stderr: text that cannot be written would stay in its buffer and change the exit code at exit.
    line = visible(" ".join(message.split()), keep_lines=False)
    with suppress(OSError):
        write_all(2, f"sse: {line}\n".encode("utf-8", "backslashreplace"))
    return code
