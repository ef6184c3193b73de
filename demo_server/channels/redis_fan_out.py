"""Channels of several servers through one Redis Stream.

- A script in Redis numbers each event and appends it to the stream, in one step: the order of the stream is the order
  of the numbers, in all channels and processes.
- Each process reads the whole stream with one connection, and delivers to its own subscribers. It remembers the last
  entry that it has read, so it misses nothing while Redis or the network is down. Pub/sub would lose these events.
- The stream is also the history of a server that starts later. Afterwards, each process has its own, as without Redis.

Subscribers wait in no task of this module: a slow one has the bounded queue of subscriber.py.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from demo_server.channels.channels import Channels
from demo_server.channels.fan_out import NotPublishedError, Published
from demo_server.channels.redis_server import ANSWER_WITHIN_S, EVENTS_KEY, NUMBERS_KEY, failure_reason, redis_address
from demo_server.workers.counters import MAX_COUNTERS, Number

Entries = list[tuple[bytes, dict[bytes, bytes]]]
"""Ids and fields, as redis-py returns them with RESP 2."""

logger = logging.getLogger(__name__)

# With 64 KiB, the longest data of an event, the stream has 64 MiB: as all histories of a worker.
STREAM_EVENTS = 1000
READ_EVENTS = 100
BLOCK_MS = 1000  # less than ANSWER_WITHIN_S: a Redis that hangs is recognized by the time limit of an answer
RECONNECT_AFTER_S = 0.5
PUBLISHING_CONNECTIONS = 4
FORGET_AFTER_S = 24 * 3600  # a demo leaves nothing in Redis for good

# A restarted Redis may have lost the last numbers, and would give them to other events: the epoch changes with its run.
# The fields ":run" and ":epoch" cannot be names of channels.
PUBLISH = f"""
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('HGET', KEYS[2], ':run') ~= run or redis.call('HLEN', KEYS[2]) > {MAX_COUNTERS} then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], ':run', run, ':epoch', ARGV[1])
end
local epoch = redis.call('HGET', KEYS[2], ':epoch')
local number = redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', {STREAM_EVENTS}, '*',
  'channel', ARGV[2], 'epoch', epoch, 'number', number, 'type', ARGV[3], 'data', ARGV[4])
redis.call('EXPIRE', KEYS[1], {FORGET_AFTER_S})
redis.call('EXPIRE', KEYS[2], {FORGET_AFTER_S})
return {{epoch, number}}
"""


class RedisFanOut:
    """The channels of all processes that use the same Redis."""

    def __init__(self, url: str, channels: Channels) -> None:
        self._address = redis_address(url)
        self._channels = channels
        limits = {"socket_timeout": ANSWER_WITHIN_S, "socket_connect_timeout": ANSWER_WITHIN_S}
        # redis-py would repeat a command without an answer, and so publish an event twice.
        pool = BlockingConnectionPool.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            max_connections=PUBLISHING_CONNECTIONS + 1,
            timeout=ANSWER_WITHIN_S,
            **limits,
        )
        self._redis = Redis.from_pool(pool)
        self._last_entry = b"0-0"
        self._is_failing = False
        self._is_loaded = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the history first, then deliver new events inside the block."""
        following = asyncio.create_task(self._follow())
        with suppress(TimeoutError):  # Redis was there a moment ago; without it, the history is read later
            await asyncio.wait_for(self._is_loaded.wait(), 2 * ANSWER_WITHIN_S)
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await self._redis.aclose()

    async def publish(self, name: str, event_type: str | None, data: str) -> Published:
        """Append an event to the stream. The number of subscribers is unknown: each process has its own."""
        may_be_published = False
        try:
            async with self._redis.client() as connection:  # connects if necessary
                may_be_published = True
                epoch, value = await connection.eval(
                    PUBLISH, 2, EVENTS_KEY, NUMBERS_KEY, secrets.token_hex(3), name, event_type or "", data
                )
        except ResponseError as exc:
            raise self._not_published("not published", exc) from exc
        except (RedisError, OSError) as exc:
            outcome = "it is unknown whether the event was published" if may_be_published else "not published"
            raise self._not_published(outcome, exc) from exc
        return Published(Number(epoch.decode(), value), None)

    def _not_published(self, outcome: str, exc: Exception) -> NotPublishedError:
        return NotPublishedError(f"{outcome}: Redis at {self._address}: {failure_reason(exc)}")

    async def _follow(self) -> None:
        while True:
            try:
                await self._read()
            except (RedisError, OSError) as exc:
                if not self._is_failing:
                    logger.warning(
                        "demo server: Redis at %s: %s; streams stay open, publishing gets 503, connecting again",
                        self._address,
                        failure_reason(exc),
                    )
                self._is_failing = True
                await asyncio.sleep(RECONNECT_AFTER_S)
            else:
                if self._is_failing:
                    logger.warning("demo server: Redis at %s: connected again", self._address)
                self._is_failing = False

    async def _read(self) -> None:
        """Deliver the next entries of the stream; wait for them once the history is read."""
        block_ms = BLOCK_MS if self._is_loaded.is_set() else None
        answer = await self._redis.xread({EVENTS_KEY: self._last_entry}, count=READ_EVENTS, block=block_ms)
        if not answer:
            self._is_loaded.set()
        for _, entries in cast("list[tuple[bytes, Entries]]", answer):
            for entry, fields in entries:
                self._last_entry = entry
                await self._deliver(fields)

    async def _deliver(self, fields: dict[bytes, bytes]) -> None:
        try:
            name, epoch, value, event_type, data = (
                fields[field].decode() for field in (b"channel", b"epoch", b"number", b"type", b"data")
            )
            number = Number(epoch, int(value))
        except (KeyError, ValueError):
            return  # an entry that no server of this kind has written
        await self._channels.deliver(name, event_type or None, data, number)
