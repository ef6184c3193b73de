"""Messages between a worker and the hub: lines of JSON on a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

# The longest line carries the log of LLM requests of a run from all workers (llm/truth_log.py): 64 times 6 MB.
MAX_LINE_BYTES = 512 << 20


async def messages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[dict[str, Any]]:
    """Yield each message until the other side disconnects, or is killed before it has read everything."""
    try:
        async for line in reader:
            yield json.loads(line)
    except ConnectionError:
        # asyncio (3.11 to 3.14) sometimes prints the error a second time if nothing asks how the connection closed.
        with suppress(ConnectionError):
            await writer.wait_closed()


def write(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Send a message. A message to a lost process is dropped: losing one ends the server anyway."""
    if not writer.is_closing():  # asyncio would log a warning for each message after the fifth
        writer.write(json.dumps(message).encode() + b"\n")
