"""Read event streams as people write it: URL STREAMS DURATION_S RAMP_UP_S. Plain asyncio, no latencies."""

import asyncio
import json
import sys
import time

import aiohttp

counts, started_s = {"opened": 0, "events": 0}, time.monotonic()


async def read(session: aiohttp.ClientSession, url: str, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    async with session.get(url) as response:
        counts["opened"] += 1
        rest = b""
        async for piece in response.content.iter_any():
            *events, rest = (rest + piece).split(b"\n\n")
            for event in events:
                json.loads(event.partition(b"data:")[2])
                counts["events"] += 1


async def main(url: str, streams: int, duration_s: float, ramp_up_s: float) -> None:
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        reading = [asyncio.create_task(read(session, url, ramp_up_s * i / streams)) for i in range(streams)]
        await asyncio.wait(reading, timeout=duration_s)


try:
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
except KeyboardInterrupt:
    pass
finally:
    print(json.dumps({**counts, "duration_s": time.monotonic() - started_s}))
