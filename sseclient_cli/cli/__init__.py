"""The command line: one small file per command, assembled here.

Whatever goes wrong reaches the user as one line on stderr and an exit code of ``errors.py``; a traceback would be a
bug of ours. Nothing heavy is imported before a command runs, so that ``sse --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from sseclient_cli import __version__
from sseclient_cli.cli.bench import bench
from sseclient_cli.cli.demo import demo
from sseclient_cli.cli.watch import watch
from sseclient_cli.errors import SseError

EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="sse",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich would take as long to import as all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("watch")(watch)
app.command("bench")(bench)
app.command("demo")(demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sse {__version__}\n")
        raise typer.Exit


@app.callback()
def sse(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Look at any Server-Sent Events stream, and load-test it with thousands of connections."""


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except SseError as exc:
        code = _fail(str(exc), exc.exit_code)
    except TyperException as exc:
        code = _fail(exc.format_message(), exc.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`sse watch ... | head`): not an error. Point stdout elsewhere, or the
        # interpreter would report it once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    if message:
        sys.stderr.write(f"sse: {' '.join(message.split())}\n")
    return code
