"""The frames of a connection, without the announcement of a graceful shutdown."""

from __future__ import annotations

import pytest
from http2_frames import PING, SETTINGS, data, goaway, head

from sseclient_cli.client.goaway_filter import GoawayFilter

FRAMES = [SETTINGS, head(), PING, data(b"a"), data(b"", end=True)]
GRACEFUL = goaway(last_stream=2**31 - 1, debug=b"bye")


@pytest.mark.parametrize("size", [1, 2, 8, 9, 10, 1000])
def test_graceful_announcements_are_removed_however_the_bytes_are_cut(size: int) -> None:
    sent = b"".join([*FRAMES[:3], GRACEFUL, FRAMES[3], goaway(), FRAMES[4]])
    frames = GoawayFilter()
    passed = [frames.feed(sent[start : start + size]) for start in range(0, len(sent), size)]
    assert b"".join(passed) + frames.finish() == b"".join(FRAMES)


@pytest.mark.parametrize("other", [goaway(2), goaway(0, last_stream=0)], ids=["error", "not-processed"])
def test_other_announcements_pass(other: bytes) -> None:
    assert GoawayFilter().feed(SETTINGS + other) == SETTINGS + other


def test_incomplete_bytes_are_returned_at_the_end() -> None:
    frames = GoawayFilter()
    assert frames.feed(SETTINGS + GRACEFUL[:12]) == SETTINGS
    assert frames.finish() == GRACEFUL[:12]
