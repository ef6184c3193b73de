"""The status line of a watched stream."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from sseclient_cli.client.state import ConnectionState
from sseclient_cli.escaping import visible


@dataclass(frozen=True, slots=True)
class Status:
    """The content of the status line."""

    url: str
    state: ConnectionState
    reason: str
    wait_s: float
    events: int
    events_per_s: float
    last_event_id: str
    behind_s: float = 0.0
    """0 unless the view is behind."""
    open_of_all: tuple[int, int] = (1, 1)
    """The number of open streams, and of all."""


def status_line(status: Status) -> Text:
    """Return one line that never wraps; a narrow terminal cuts its end, which matters least."""
    line = Text(no_wrap=True, overflow="ellipsis")
    opened, streams = status.open_of_all
    if streams > 1:
        line.append(f"● {opened} of {streams} connected", "green" if opened == streams else "yellow")
    elif status.state is ConnectionState.OPEN:
        line.append("● connected", "green")
    elif status.state is ConnectionState.WAITING:
        line.append(f"● reconnecting in {status.wait_s:.1f} s", "yellow")
    else:
        line.append(f"● {status.state.value}", "yellow")
    if status.behind_s:
        line.append(f" │ {status.behind_s:.1f} s behind", "yellow")
    line.append(f" │ {status.events:,} event{'' if status.events == 1 else 's'}")
    if streams == 1 and status.state is ConnectionState.WAITING:
        line.append(f" │ because {visible(status.reason, keep_lines=False)}")
    else:
        line.append(f" │ {status.events_per_s:,.1f}/s")
        if status.last_event_id:
            line.append(f" │ last id {visible(status.last_event_id[:40], keep_lines=False)}")
    line.append(f" │ {visible(status.url, keep_lines=False)}", "dim")
    return line
