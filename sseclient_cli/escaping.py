r"""Make untrusted text safe for a terminal.

Text from a server may contain escape sequences that move the cursor, change colours, set the window title or reorder
the line. All such text passes ``visible`` before it reaches a terminal. It shows each of these characters as its
escape: ``\x1b``, ``\u202e``.
"""

from __future__ import annotations

import re

# C0 controls, DEL and C1 controls (CSI is one of them); bidi marks, embeddings, overrides and isolates (UAX #9);
# the line and paragraph separators, because some terminals obey them; surrogates, because no encoding can write them.
# Joiners (U+200C, U+200D) are harmless, and emoji and several scripts need them.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


_CODES = (code for code in range(0x10000) if _INVISIBLE.fullmatch(chr(code)))
_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CODES}
_ESCAPES_BUT_LINES = {code: escape for code, escape in _ESCAPES.items() if chr(code) not in "\n\t"}


def visible(text: str, *, keep_lines: bool = True) -> str:
    """Return the text with every control character replaced by its escape.

    With ``keep_lines``, line feeds and tabs stay.
    """
    # One substitution per run of characters, with a table: megabytes of control characters must not take seconds.
    escapes = _ESCAPES_BUT_LINES if keep_lines else _ESCAPES
    return _INVISIBLE.sub(lambda run: run[0].translate(escapes), text)
