"""``sse replay``: serve a recording of ``sse watch --record`` as an event stream, with its timing.

Other commands run the same server in a process of its own, for a recording as their URL.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sseclient_cli.cli.child_server import START_WITHIN_S, RunningServer, ServerProgram, serving
from sseclient_cli.cli.demo import is_demo
from sseclient_cli.cli.options.replaying import ListenOptions, PacingOptions
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.client.recording import Header

RecordingPath = Annotated[
    Path, typer.Argument(metavar="FILE", help="A recording of `sse watch --record`.", show_default=False)
]

_START = b'{"recording":'

READ_BYTES_PER_S = 10e6
"""A lower limit of the speed at which the server reads a recording before it starts."""


def replay(file: RecordingPath, pacing: PacingOptions, listen: ListenOptions) -> int:
    """Serve a recording as an event stream, with the recorded timing. Stop with Ctrl-C."""
    from sseclient_cli.escaping import visible
    from sseclient_cli.render.standard_streams import say
    from sseclient_cli.replay.pacing import Pacing
    from sseclient_cli.replay.server import loaded, serve

    paced = Pacing(speed=pacing.speed, is_looping=pacing.loop, jitter_s=pacing.jitter_s, seed=pacing.seed)
    with loaded(file, say) as timelines:
        events, duration_s = sum(each.events for each in timelines), timelines[0].duration_ns / 1e9
        say(f"{visible(str(file), keep_lines=False)}: {events:,} events in {duration_s:.1f} s")
        try:
            serve(timelines, paced, listen.host, listen.port)
        except UsageError as exc:
            if exc.code == "address-in-use":
                exc.add_note("--port 0 picks a free port")
            raise
    return 0


def is_recording_file(path: Path) -> bool:
    """Return whether a file begins like a recording, which may be damaged."""
    try:
        with path.open("rb") as file:
            return path.is_file() and file.read(len(_START)) == _START
    except (OSError, ValueError):
        return False


def is_recording(url: str) -> bool:
    """Return whether the URL of a command is the name of a recording. Raises UsageError for another file.

    ``demo`` is the bundled server, also beside a file of that name.
    """
    path = Path(url)
    try:
        if "://" in url or is_demo(url) or not path.is_file():
            return False
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return False
    _header(path)
    return True


def recorded_paths(path: Path) -> list[str]:
    """Return the path of each stream of a recording on the server of its replay."""
    from sseclient_cli.replay.stream_paths import stream_paths

    return stream_paths(_header(path))


def _header(path: Path) -> Header:
    from sseclient_cli.client.recording_reader import RecordingReader, opened

    with opened(path) as file:
        return RecordingReader(file, str(path), lambda _: None).header


def serving_recording(path: Path, *, http2: bool) -> AbstractContextManager[RunningServer]:
    """Replay a recording on a free port; the server stops at the end of the block."""
    arguments = ("sseclient_cli.replay", str(path.absolute()))
    within_s = START_WITHIN_S + path.stat().st_size / READ_BYTES_PER_S
    return serving(ServerProgram("the replay", f"sse replay {path}", arguments, within_s), http2=http2)
