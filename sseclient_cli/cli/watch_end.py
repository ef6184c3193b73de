"""Run a session of ``sse watch`` to its end: its last lines on stderr, and its exit code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sseclient_cli.cli.watch_views import display_of, live_view_of
from sseclient_cli.errors import UnansweredError
from sseclient_cli.exit_codes import EXIT_UNMET

if TYPE_CHECKING:
    from sseclient_cli.cli.session import Session
    from sseclient_cli.render.watch.stream_view import StreamView
    from sseclient_cli.render.watch.terminal_view import TerminalView

EXIT_TERMINATED = 128 + 15


def run_to_end(session: Session, view: StreamView | TerminalView) -> int:
    """Run the session and return the exit code of the command. Raises SseError, and KeyboardInterrupt after Ctrl-C."""
    import asyncio
    import time

    from sseclient_cli.render.standard_streams import say

    for doubt in [] if session.selection.quiet else session.selection.expected.doubts():
        say(doubt)
    live_view = live_view_of(view)
    began_s = time.monotonic()
    try:
        asyncio.run(session.run(partial(display_of, view)))
    except (KeyboardInterrupt, asyncio.CancelledError) as exc:
        if not session.selection.quiet:
            _say_interrupted(session, time.monotonic() - began_s, is_live=live_view is not None)
        raise KeyboardInterrupt from exc
    except BrokenPipeError:
        return 0  # `sse watch ... | head`; Typer (0.29) would exit with code 1
    finally:
        if live_view is not None and session.opened:
            say(live_view.summary(time.time_ns()))
        for stream in session.streams:
            if stream.diagnosis:
                say(f"{stream.label}: {stream.diagnosis}" if stream.label else stream.diagnosis)
    if not (session.selection.quiet or session.is_reader_gone):
        for line in _last_lines(session):
            say(line)
    return _exit_code(session)


def _say_interrupted(session: Session, elapsed_s: float, *, is_live: bool) -> None:
    """Write the last lines after Ctrl-C; a live view has a summary of its own."""
    from sseclient_cli.render.standard_streams import say

    types_seen = session.verdict.types_seen()
    for note in session.verdict.notes():
        say(note)
    if types_seen or not is_live:
        say(f"{_events(session.shown)} in {elapsed_s:.1f} s{types_seen}")


def _last_lines(session: Session) -> list[str]:
    """Return the lines for the end of a run: notes on parts that were not shown, and why the only stream has ended."""
    lines = session.verdict.notes()
    if len(session.streams) == 1 and (last_word := _last_word(session)):
        lines.append(f"{last_word}: {_events(session.shown)}")
    return lines


def _last_word(session: Session) -> str:
    """Return why the only stream has ended; empty if the options say so."""
    from sseclient_cli.client.connections import END_OF_STREAM

    stream, reconnect = session.streams[0], session.selection.reconnect
    if stream.is_ended_by_server and reconnect is None:
        # By default, only GET and HEAD reconnect.
        return f"{END_OF_STREAM}; --reconnect would send the {stream.target.method} again"
    is_explained = session.shown or stream.diagnosis or session.verdict.unmet()
    if stream.is_ended_by_server and reconnect is False and not is_explained:
        return END_OF_STREAM
    return stream.last_word


def _exit_code(session: Session) -> int:
    """Return the exit code, and write which expectation was not met."""
    from sseclient_cli.render.standard_streams import say

    if session.terminated:
        return EXIT_TERMINATED
    if session.is_reader_gone:
        return 0  # `sse watch ... | head`
    unmet = session.verdict.unmet()
    if unmet:
        say(f"sse: {unmet}{'' if session.opened else ': no stream was opened'}")
        return EXIT_UNMET
    if session.failures and not session.verdict.is_enough:
        say(f"sse: {len(session.failures)} of {len(session.streams)} streams failed")
        return session.failures[0].exit_code
    if not session.opened and not session.is_quit and not any(stream.last_word for stream in session.streams):
        raise UnansweredError(
            f"{', '.join(stream.target.redacted_url for stream in session.streams)} opened no stream within "
            f"--duration {session.selection.duration_s or 0:g}s"
        )
    return 0


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"
