"""A locustfile: each user reads one stream, event by event. STREAM_PATH names it. Prints its counts as JSON."""

import json
import os
import time
from typing import Any

from locust import events, task
from locust.contrib.fasthttp import FastHttpUser

counts = {"opened": 0, "events": 0, "duration_s": 0.0}
started_s = time.monotonic()


class Reader(FastHttpUser):  # type: ignore[misc]
    @task  # type: ignore[untyped-decorator]
    def read(self) -> None:
        response = self.client.get(os.environ["STREAM_PATH"], stream=True)
        counts["opened"] += 1
        # Its own iter_content waits until 1,024 bytes are there.
        while response._response.readline(b"\n\n"):
            counts["events"] += 1


@events.quit.add_listener  # type: ignore[untyped-decorator]
def report(**_: Any) -> None:
    counts["duration_s"] = time.monotonic() - started_s
    print(json.dumps(counts), flush=True)
