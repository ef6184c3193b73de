r"""Make untrusted text safe for a terminal.

Text from a server may contain escape sequences that move the cursor, change colours, set the window title or reorder
the line. All such text passes ``visible`` before it reaches a terminal. It shows each of these characters as its
escape: ``\x1b``, ``\u202e``.
"""

from __future__ import annotations

import re

# C0 controls, DEL and C1 controls (which hold CSI); bidi marks, embeddings, overrides and isolates (UAX #9);
# the line and paragraph separators, which some terminals obey; surrogates, which no encoding can write.
# Joiners (U+200C, U+200D) are harmless, and emoji and several scripts need them.
_RANGES = (
    (0x00, 0x1F), (0x7F, 0x9F), (0x61C, 0x61C), (0x200E, 0x200F), (0x2028, 0x2029), (0x202A, 0x202E), (0x2066, 0x2069),
    (0xD800, 0xDFFF),
)  # fmt: skip
_INVISIBLE = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES) + "]+")

# From the ranges: to ask the pattern for each of 65,536 characters took 20 ms of every start.
_CODES = (code for first, last in _RANGES for code in range(first, last + 1))
_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CODES}
_ESCAPES_BUT_LINES = {code: escape for code, escape in _ESCAPES.items() if chr(code) not in "\n\t"}


def visible(text: str, *, keep_lines: bool = True) -> str:
    """Return the text with every control character replaced by its escape.

    With ``keep_lines``, line feeds and tabs stay.
    """
    # One substitution per run of characters, with a table: megabytes of control characters must not take seconds.
    escapes = _ESCAPES_BUT_LINES if keep_lines else _ESCAPES
    return _INVISIBLE.sub(lambda run: run[0].translate(escapes), text)


def visible_start(text: str, max_chars: int) -> str:
    """Return the first characters of a text in one line that is safe for a terminal, with dots if it is longer."""
    shown = visible(text[:max_chars], keep_lines=False)
    return shown if len(text) <= max_chars else shown + "..."
