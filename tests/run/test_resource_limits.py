"""Tests of the pure checks with given limits, and of reading the limits of this machine."""

import sys

import pytest

from sseclient_cli.errors import LimitError
from sseclient_cli.run.resource_limits import (
    RESERVED_BYTES,
    STREAM_BYTES,
    TLS_BYTES,
    WORKER_BYTES,
    available_memory_bytes,
    check_memory,
    check_ports,
    require_ports,
)


def test_each_source_address_has_the_port_range_of_the_system() -> None:
    check_ports(28_232, 0, 28_232)
    check_ports(56_464, 2, 28_232)
    with pytest.raises(
        LimitError, match=r"the limit of 28,232 on this machine: a source address has 28,232 local ports$"
    ):
        check_ports(28_233, 1, 28_232)


def test_required_memory_is_that_of_streams_and_workers_plus_a_reserve() -> None:
    available_bytes = RESERVED_BYTES + 2 * WORKER_BYTES + 1000 * STREAM_BYTES
    check_memory(1000, 2, available_bytes, tls=False)
    with pytest.raises(LimitError, match="the limit of 1,000 on this machine"):
        check_memory(1001, 2, available_bytes, tls=False)
    with pytest.raises(LimitError, match="the limit of 0 on this machine"):
        check_memory(1, 3, available_bytes - 1000 * STREAM_BYTES, tls=False)


def test_tls_requires_more_memory() -> None:
    available_bytes = RESERVED_BYTES + WORKER_BYTES + 1000 * (STREAM_BYTES + TLS_BYTES)
    check_memory(1000, 1, available_bytes, tls=True)
    with pytest.raises(LimitError, match="MiB of memory are available"):
        check_memory(1001, 1, available_bytes, tls=True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these files")
def test_limits_of_this_system_are_read() -> None:
    assert (available_memory_bytes() or 0) > 2**20
    with pytest.raises(LimitError, match="local ports"):
        require_ports(65_536, source_count=1)
