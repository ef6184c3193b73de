"""The events of a recording in blocks, which are read from the file when a client needs them.

The whole file is read once at the start, to find damaged lines. After that, memory holds 8 bytes per event, and the
encoded events of the last blocks, which all clients share.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from sseclient_cli.client.recording import DamagedLineError, Opened, Record, RecordedEvent, decode
from sseclient_cli.client.recording_reader import DamagedLine, RecordingReader, opened
from sseclient_cli.replay.encoding import encoded, format_of_replay, is_sent
from sseclient_cli.sse.stream_format import StreamFormat

MAX_BLOCK_ITEMS = 256
MAX_BLOCK_BYTES = 64 * 1024
MAX_CACHE_BYTES = 64 * 1024 * 1024
"""The limit of all encoded blocks in memory. A single block is larger if its only event is."""

ITEM_BYTES = 150
"""The size of an item's objects without its payload: most events are smaller."""


class Item(NamedTuple):
    """Bytes to send, and their time since the start of the recording."""

    due_ns: int
    payload: bytes


class _Block(NamedTuple):
    first_item: int
    offset: int
    size_bytes: int


class Timeline:
    """The items of one stream of a recording; a context manager, which closes the file.

    ``stream`` is its number, from 0. Raises UsageError if the file is not a recording.
    """

    def __init__(self, path: Path, on_damage: Callable[[DamagedLine], None], stream: int = 0) -> None:
        self._stream = stream
        self._blocks: list[_Block] = []
        self._ids = array("q")
        """The hash of each item's event ID."""
        self._cache: OrderedDict[int, tuple[Item, ...]] = OrderedDict()
        self._cached_bytes = 0
        self._last_event = -1
        self.stream_format = StreamFormat.SSE
        self.events = 0
        self.duration_ns = 0
        """The time of the last record, which may be the end of a connection."""
        self._file = opened(path)
        try:
            reader = RecordingReader(self._file, str(path), on_damage)
            self.header = reader.header
            self._index(reader)
        except BaseException:
            self._file.close()
            raise
        self.position_after = lru_cache(maxsize=1024)(self._position_after)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ids)

    def _index(self, reader: RecordingReader) -> None:
        first_item, offset, size_bytes = 0, reader.offset, 0
        for located in reader:
            # A skipped line also starts a new block, so that a block has no damaged lines.
            is_full = len(self._ids) - first_item >= MAX_BLOCK_ITEMS or size_bytes >= MAX_BLOCK_BYTES
            if is_full or located.offset != offset + size_bytes:
                self._blocks.append(_Block(first_item, offset, size_bytes))
                first_item, offset, size_bytes = len(self._ids), located.offset, 0
            size_bytes += located.size_bytes
            record = located.record
            if record.stream == self._stream and isinstance(record, Opened) and not self._ids:
                self.stream_format = format_of_replay(record)
            self.duration_ns = max(self.duration_ns, record.elapsed_ns)
            if record.stream == self._stream and is_sent(record, self.stream_format):
                self._append(record)
        self._blocks.append(_Block(first_item, offset, size_bytes))
        self._blocks = [each for each in self._blocks if each.size_bytes]

    def _append(self, record: Record) -> None:
        event_id = ""
        if isinstance(record, RecordedEvent):
            self.events += 1
            self._last_event, event_id = len(self._ids), record.id
        self._ids.append(hash(event_id))

    def elapsed_ns_before(self, position: int) -> int:
        """Return the time of the item before this position; 0 at the start."""
        return self.block_at(position - 1)[0].due_ns if position else 0

    def has_event_at(self, position: int) -> bool:
        """Return whether an event follows, at this position or later."""
        return position <= self._last_event

    def block_at(self, position: int) -> tuple[Item, ...]:
        """Return the items from this position to the end of their block; none after the last item."""
        if position >= len(self):
            return ()
        number = bisect_right(self._blocks, position, key=lambda block: block.first_item) - 1
        items = self._cache.get(number)
        if items is None:
            items = self._read(self._blocks[number])
            self._keep(number, items)
        return items[position - self._blocks[number].first_item :]

    def _position_after(self, last_event_id: str) -> int | None:
        """Return the position after the last event with this ID; None if no event has it."""
        wanted = hash(last_event_id)
        # 8 MB of hashes, for a million events, take some milliseconds; a loop in Python would block the server.
        hashes, found = self._ids.tobytes(), -1
        pattern = array("q", [wanted]).tobytes()
        end = len(hashes)
        while (found := hashes.rfind(pattern, 0, end)) % 8 and found >= 0:
            end = found + 7  # not at the start of a hash
        return None if found < 0 else found // 8 + 1

    def _read(self, block: _Block) -> tuple[Item, ...]:
        self._file.seek(block.offset)
        items, due_ns = [], 0
        for line in BytesIO(self._file.read(block.size_bytes)):  # ends lines at LF only, like the reader
            try:
                record = decode(line)
            except DamagedLineError:  # the file was changed after the start
                break
            due_ns = max(due_ns, record.elapsed_ns)
            if record.stream == self._stream and is_sent(record, self.stream_format):
                items.append(Item(due_ns, encoded(record, self.stream_format)))
        return tuple(items)

    def _keep(self, number: int, items: tuple[Item, ...]) -> None:
        self._cache[number] = items
        self._cached_bytes += _size_bytes(items)
        while self._cached_bytes > MAX_CACHE_BYTES and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= _size_bytes(oldest)


def _size_bytes(items: tuple[Item, ...]) -> int:
    return sum(len(item.payload) + ITEM_BYTES for item in items)
