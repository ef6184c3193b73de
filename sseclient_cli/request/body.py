"""Read a request body as typed on a command line: text, ``@FILE``, or ``@-`` for stdin.

A file is sent byte for byte, as with curl's ``--data-binary``. Bytes that are not UTF-8 become surrogates, as in
Python's command-line arguments.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import BinaryIO

from sseclient_cli.errors import UsageError

MAX_BODY_BYTES = 64 * 1024**2
"""The size limit: each stream of a load test sends its own copy of the body, and ``@/dev/zero`` never ends."""


def read_body(text: str) -> str:
    """Return the text, or the content of the file after ``@``. Raises UsageError for an unreadable file."""
    if not text.startswith("@"):
        return text
    name = text[1:]
    if not name:
        raise UsageError("the request body @ names no file: write @FILE, or @- for stdin", arguments=["body"])
    try:
        if name == "-":
            content = _all_of(sys.stdin.buffer) if sys.stdin is not None else b""
        else:
            with open(name, "rb") as file:
                content = file.read(MAX_BODY_BYTES + 1)
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise UsageError(
            f"cannot read the request body from {name!r}: {why.lower()}; @FILE reads a file, and a body that begins "
            "with @ must come from a file or from stdin (@-)",
            arguments=["body"],
        ) from exc
    if len(content) > MAX_BODY_BYTES:
        raise UsageError(f"the request body in {name!r} is larger than {MAX_BODY_BYTES // 1024**2} MiB")
    return content.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=1)  # a command with several URLs sends the same body to each
def _all_of(stdin: BinaryIO) -> bytes:
    return stdin.read(MAX_BODY_BYTES + 1)
