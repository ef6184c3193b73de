"""The keys of the live view: their actions, and the filter that is being typed.

Pure: keys come in as text, and actions go out. ``live_feed.py`` carries them out.
"""

from __future__ import annotations

import re
from enum import Enum, auto

MAX_TYPED_CHARS = 200
"""The limit of the input line, for example when a file is pasted by mistake."""

ENTER = ("\r", "\n")
ESCAPE = "\x1b"
BACKSPACE = ("\x7f", "\b")
CLEAR_LINE = "\x15"  # Ctrl-U
CLEAR_SCREEN = ("c", "\x0c")  # Ctrl-L

HELP = (
    ("space", "pause or continue; events that arrive meanwhile are kept"),
    ("/", "filter: show only events with a text, or with type:NAME"),
    ("c", "clear the screen"),
    ("q", "quit with a summary, like Ctrl-C"),
)
"""The keys and their meanings."""

# A cursor or function key is one sequence (ECMA-48: CSI and SS3), and not an Escape followed by letters.
_KEY = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|.", re.DOTALL)


class Action(Enum):
    """A task of the view after a key."""

    PAUSE_OR_CONTINUE = auto()
    TYPE = auto()
    """The typed text has changed."""
    FILTER = auto()
    HELP = auto()
    CLEAR = auto()
    QUIT = auto()


class Controls:
    """Takes keys. ``typed`` is the unfinished filter; None while none is being typed."""

    def __init__(self) -> None:
        self.typed: str | None = None
        self.filter_text = ""

    def press(self, text: str) -> list[Action]:
        """Take text from the terminal, which may be several keys; return the actions."""
        actions = (self._press(key) for key in _KEY.findall(text) if len(key) == 1)
        return [action for action in actions if action is not None]

    def _press(self, key: str) -> Action | None:
        if self.typed is not None:
            return self._type(self.typed, key)
        if key == "/":
            self.typed = ""
            return Action.TYPE
        if key in CLEAR_SCREEN:
            return Action.CLEAR
        return {" ": Action.PAUSE_OR_CONTINUE, "?": Action.HELP, "q": Action.QUIT}.get(key)

    def _type(self, typed: str, key: str) -> Action | None:
        if key in ENTER:
            self.filter_text, self.typed = typed.strip(), None
            return Action.FILTER
        if key == ESCAPE:
            self.typed = None
        elif key in BACKSPACE:
            self.typed = typed[:-1]
        elif key == CLEAR_LINE:
            self.typed = ""
        elif key.isprintable():
            self.typed = (typed + key)[:MAX_TYPED_CHARS]
        else:
            return None
        return Action.TYPE
