"""``sse replay``: serve a recording of ``sse watch --record`` as an event stream, with its timing.

Other commands run the same server in a process of its own, for a recording as their URL.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from sseclient_cli.cli.child_server import START_WITHIN_S, RunningServer, ServerProgram, serving
from sseclient_cli.cli.options.replaying import ListenOptions, PacingOptions
from sseclient_cli.errors import UsageError

RecordingPath = Annotated[
    Path, typer.Argument(metavar="FILE", help="A recording of `sse watch --record`.", show_default=False)
]

READ_BYTES_PER_S = 10e6
"""A lower limit of the speed at which the server reads a recording before it starts."""


def replay(file: RecordingPath, pacing: PacingOptions, listen: ListenOptions) -> int:
    """Serve a recording as an event stream, with the recorded timing. Stop with Ctrl-C."""
    from sseclient_cli.escaping import visible
    from sseclient_cli.render.standard_streams import say
    from sseclient_cli.replay.pacing import Pacing
    from sseclient_cli.replay.server import loaded, serve

    paced = Pacing(speed=pacing.speed, is_looping=pacing.loop, jitter_s=pacing.jitter_s, seed=pacing.seed)
    with loaded(file, say) as timeline:
        name = visible(str(file), keep_lines=False)
        say(f"{name}: {timeline.events:,} events in {timeline.duration_ns / 1e9:.1f} s")
        try:
            serve(timeline, paced, listen.host, listen.port)
        except UsageError as exc:
            if exc.code == "address-in-use":
                exc.add_note("--port 0 picks a free port")
            raise
    return 0


def is_recording(url: str) -> bool:
    """Return whether the URL of a command is the name of a recording. Raises UsageError for another file."""
    path = Path(url)
    try:
        if "://" in url or not path.is_file():
            return False
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return False
    check_recording(path)
    return True


def check_recording(path: Path) -> None:
    """Raise UsageError if a file is not a recording."""
    from sseclient_cli.client.recording_reader import RecordingReader, opened

    with opened(path) as file:
        RecordingReader(file, str(path), lambda _: None)


def serving_recording(path: Path) -> AbstractContextManager[RunningServer]:
    """Replay a recording on a free port; the server stops at the end of the block."""
    arguments = ("sseclient_cli.replay", str(path.absolute()))
    within_s = START_WITHIN_S + path.stat().st_size / READ_BYTES_PER_S
    return serving(ServerProgram("the replay", f"sse replay {path}", arguments, within_s))
