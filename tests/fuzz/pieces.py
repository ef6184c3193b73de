"""Splits the fuzzer's bytes into the input of a target: an option, the places to cut, and the bytes to cut.

The first byte is the option, the second one says how many bytes follow that are sizes of pieces (none is an empty
piece); the last piece is the rest. No bytes are refused, and a change of a byte is a small change of the input.
"""

from __future__ import annotations

MAX_SIZES = 8


def taken(data: bytes) -> tuple[int, list[bytes]]:
    """Return the option and the pieces."""
    option, count, rest = *data[:2].ljust(2, b"\0"), data[2:]
    count %= MAX_SIZES + 1
    sizes, rest = rest[:count], rest[count:]
    pieces = []
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    return option, [*pieces, rest]


def composed(option: int, sizes: list[int], rest: bytes) -> bytes:
    """Return the bytes that ``taken`` splits into these."""
    return bytes([option, len(sizes), *sizes]) + rest


def one_by_one(data: bytes) -> list[bytes]:
    """Return each byte by itself."""
    return [data[index : index + 1] for index in range(len(data))]
