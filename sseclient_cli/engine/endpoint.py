"""The endpoint of a connection, as counted in the report."""

from __future__ import annotations

from typing import NamedTuple


class Endpoint(NamedTuple):
    """A host name, its resolved address and its port. A unix socket has only ``address``, its path."""

    host: str | None
    address: str
    port: int | None
