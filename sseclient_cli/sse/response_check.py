"""Check whether a response is an event stream: status 200 and content type text/event-stream.

WHATWG HTML 9.2.3. Any other response is final: the client does not reconnect. With status 204, a server ends a stream
on purpose.
"""

from __future__ import annotations

from enum import Enum

from sseclient_cli.sse.stream_format import StreamFormat, format_of


class StopReason(Enum):
    """Why the client does not reconnect."""

    NO_CONTENT = "the server ended the stream for good (status 204)"
    BAD_STATUS = "the status is not 200"
    WRONG_CONTENT_TYPE = "the content type is not text/event-stream"


def stop_reason_for(
    status: int,
    content_type: str | None,
    stream_format: StreamFormat = StreamFormat.SSE,
    *,
    any_type: bool = False,
) -> StopReason | None:
    """Return why a response is not a stream of this format; None if it is one (9.2.3). See ``format_of``.

    Only the essence of the content type is compared, ignoring case. Parameters (and a lone trailing semicolon) are
    ignored: an event stream is always UTF-8. The values of several headers are joined by commas.
    """
    if status == 204:
        return StopReason.NO_CONTENT
    if status != 200:
        return StopReason.BAD_STATUS
    is_accepted = format_of(content_type, stream_format, any_type=any_type) is not None
    return None if is_accepted else StopReason.WRONG_CONTENT_TYPE
