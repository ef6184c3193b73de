"""A check finds exactly the one fault of each path of ``tests/apps/checked.py``, and none where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from real_servers import serving_app

from sseclient_cli.check.catalogue import Check, Status
from sseclient_cli.check.doctor import Examination, Settings, examine
from sseclient_cli.request.target import Target

FAULT, WARNING = Status.FAULT, Status.WARNING

EXPECTED: dict[str, dict[Check, Status]] = {
    "/ok": {},
    "/gzip-flushed": {},
    "/ends-for-good": {},
    "/charset": {Check.CONTENT_TYPE: WARNING},
    "/cached": {Check.CACHING: FAULT},
    "/without-cache-control": {Check.CACHING: WARNING},
    "/without-buffering-header": {Check.PROXY_BUFFERING: WARNING},
    "/buffered": {Check.PROXY_BUFFERING: FAULT},
    "/content-length": {Check.HOP_BY_HOP: FAULT},
    "/late-head": {Check.FIRST_FLUSH: WARNING},
    "/bursts": {Check.BURSTS: WARNING},
    "/bad-retry": {Check.RETRY: FAULT},
    "/short-retry": {Check.RETRY: WARNING},
    "/without-ids": {Check.IDS: WARNING},
    "/same-id": {Check.IDS: FAULT},
    "/from-start": {Check.REPLAY: FAULT},
    "/only-new": {Check.REPLAY: FAULT},
    "/includes-the-given-one": {Check.REPLAY: FAULT},
    "/loses-one": {Check.REPLAY: FAULT},
    "/foreign": {Check.REPLAY: FAULT},
    "/twice": {Check.REPLAY: FAULT},
    "/reordered": {Check.REPLAY: FAULT},
    "/changed": {Check.REPLAY: WARNING},
    "/fails-to-resume": {Check.REPLAY: FAULT},
    "/refuses-unknown-id": {Check.UNKNOWN_ID: WARNING},
    "/ends": {Check.ENDING: WARNING},
    "/ends-unfinished": {Check.LAST_EVENT: FAULT, Check.ENDING: WARNING},
    "/gzip-held-back": {Check.COMPRESSION: FAULT},
    "/hanging-head": {Check.HEAD: FAULT},
    "/reflected-origin": {Check.CORS: WARNING, Check.PREFLIGHT: WARNING},
    "/without-preflight": {Check.PREFLIGHT: WARNING},
    "/latin": {Check.UTF_8: FAULT},
    "/bom": {Check.UTF_8: WARNING},
    "/cr": {Check.LINE_ENDS: WARNING},
    "/mixed": {Check.LINE_ENDS: WARNING},
    "/unknown-field": {Check.FIELDS: FAULT},
    "/large": {Check.EVENT_SIZE: WARNING},
    "/error-event": {Check.ERROR_EVENTS: FAULT},
}


async def _all(url: str) -> dict[str, Examination]:
    # A few at a time: a busy machine must not delay events by as much as a fault does.
    limit = asyncio.Semaphore(20)

    async def one(path: str) -> Examination:
        async with limit:
            return await examine(Target.parse(url + path), Settings(duration_s=5))

    made = await asyncio.gather(*map(one, EXPECTED))
    return dict(zip(EXPECTED, made, strict=True))


@pytest.fixture(scope="module", name="examined")
def examine_all() -> Iterator[dict[str, Examination]]:
    with serving_app("checked") as url:
        yield asyncio.run(_all(url))


@pytest.mark.parametrize("path", EXPECTED)
def test_each_fault_is_found_and_nothing_else(path: str, examined: dict[str, Examination]) -> None:
    results = examined[path].results
    assert [result.check for result in results] == list(Check)
    problems = {result.check: result for result in results if result.status in (WARNING, FAULT)}
    assert {check: result.status for check, result in problems.items()} == EXPECTED[path], problems
    assert all(result.fix for result in problems.values())


def test_a_flawless_stream_has_its_replay_proved(examined: dict[str, Examination]) -> None:
    found = {result.check: result for result in examined["/ok"].results}
    assert found[Check.REPLAY].status is Status.OK
    assert found[Check.REPLAY].seen.endswith("events came again, in order")
    assert found[Check.UNKNOWN_ID].status is Status.OK
