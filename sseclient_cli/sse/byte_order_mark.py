"""The byte order mark at the start of a stream, which may arrive in pieces."""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"


def without_bom(start: bytes) -> tuple[bytes | None, bytes]:
    """Strip one leading byte order mark from the bytes so far (WHATWG HTML 9.2.5).

    Return the bytes to keep until more arrive, or None if the question is decided; and the bytes that follow the mark.
    """
    if len(start) < len(_BOM) and _BOM.startswith(start):
        return start, b""
    return None, start.removeprefix(_BOM)
