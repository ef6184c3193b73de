"""Check whether a response is an event stream: status 200 and content type text/event-stream.

WHATWG HTML 9.2.3. Any other response is final: the client does not reconnect. With status 204, a server ends a stream
on purpose.
"""

from __future__ import annotations

import re
from enum import Enum

# The values of a comma-separated list; a comma within quotes does not separate (Fetch 2.2.2 "get, decode, and split").
_VALUE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+\\?(?:"|$))++', re.DOTALL)
# MIME Sniffing 4.4: type and subtype consist of token code points (RFC 9110 5.6.2).
_MIME_TYPE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class StopReason(Enum):
    """Why the client does not reconnect."""

    NO_CONTENT = "the server ended the stream for good (status 204)"
    BAD_STATUS = "the status is not 200"
    WRONG_CONTENT_TYPE = "the content type is not text/event-stream"


def stop_reason_for(status: int, content_type: str | None, *, any_type: bool = False) -> StopReason | None:
    """Return why a response is not an event stream; None if it is one (9.2.3). ``any_type``: accept any content type.

    Only the essence of the content type is compared, ignoring case. Parameters (and a lone trailing semicolon) are
    ignored: an event stream is always UTF-8. The values of several headers are joined by commas.
    """
    if status == 204:
        return StopReason.NO_CONTENT
    if status != 200:
        return StopReason.BAD_STATUS
    return None if any_type or _essence(content_type or "") == "text/event-stream" else StopReason.WRONG_CONTENT_TYPE


def _essence(content_type: str) -> str:
    """Extract a MIME type (Fetch 3.5.1): the last valid value; empty without one."""
    essence = ""
    for value in _VALUE.findall(content_type):
        found = value.partition(";")[0].strip(" \t\r\n").lower()
        # "If temporaryMimeType is failure or its essence is "*/*", then continue."
        if _MIME_TYPE.fullmatch(found) and found != "*/*":
            essence = found
    return essence
