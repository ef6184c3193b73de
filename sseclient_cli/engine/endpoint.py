"""Where connections go."""

from __future__ import annotations

from typing import NamedTuple


class Endpoint(NamedTuple):
    """A host that was resolved, its address and port; a unix socket has only its path."""

    host: str | None
    address: str
    port: int | None
