r"""Text from outside, made safe for a terminal.

Whatever a server sends may hold escape sequences that move the cursor, change colours, set the window's title
or reorder what is shown. Everything of it passes ``visible`` before it reaches a terminal; then such a
character is seen as the text that names it: ``\x1b``, ``\u202e``.
"""

from __future__ import annotations

import re

# C0 controls, DEL and C1 controls (which hold CSI); bidi marks, embeddings, overrides and isolates (UAX #9);
# the line and paragraph separators, which some terminals obey; surrogates, which no encoding can write.
# Joiners (U+200C, U+200D) are no danger and make emoji and several scripts what they are.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str, *, keep: str = "\n\t") -> str:
    """Return the text with every character that acts instead of showing replaced by its escape."""
    return _INVISIBLE.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
