"""When a complete request arrived, as the connection passes it on through the ASGI scope."""

from __future__ import annotations

import time
from dataclasses import dataclass

from starlette.types import Scope

from demo_server.streams.scope_keys import ARRIVAL_EXTENSION


@dataclass(frozen=True, slots=True)
class Arrival:
    """When the last bytes of a request arrived, on the wall clock."""

    received_ns: int
    """The kernel's timestamp of these bytes, or, without one, the same as `read_ns`."""
    read_ns: int
    """When the server read these bytes."""
    is_exact: bool
    """Whether `received_ns` is the kernel's."""


def arrival_of(scope: Scope) -> Arrival:
    """Return when a request arrived; now, if the connection does not say."""
    arrival: Arrival | None = scope.get("extensions", {}).get(ARRIVAL_EXTENSION)
    if arrival is not None:
        return arrival
    now_ns = time.time_ns()
    return Arrival(now_ns, now_ns, is_exact=False)
