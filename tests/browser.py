"""Headless Chromium and its EventSource: the chromium and chromedriver on the PATH."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from sseclient_cli.sse.event_stream import Event

PAGE_PATH = "/a-page"
_HTML = b'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>EventSource</title>'
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
    len(_HTML),
    _HTML,
)
"""Serve it at PAGE_PATH: requests of a page to its own origin need no CORS."""

LONGEST_S = 30

# Logs the events until the source is closed, by itself or because there are enough. No listener receives all types:
# the expected ones must be named.
_WATCH = """
const [url, types, enough, forMs] = arguments;
const done = arguments[arguments.length - 1];
const log = [];
let source;
const end = () => { source.close(); done(log); };
const note = (entry) => {
  if (source.readyState === EventSource.CLOSED && entry[0] !== "error") entry.push("after close");
  log.push(entry);
  if (log.filter(([kind]) => kind !== "error").length === enough) source.close();
  if (source.readyState === EventSource.CLOSED) setTimeout(end, 20);
};
try {
  source = new EventSource(url);
} catch (error) {
  done([["refused", error.name]]);
}
if (source) {
  source.addEventListener("open", (event) => { if (!(event instanceof MessageEvent)) note(["open", source.url]); });
  source.addEventListener("error", (event) => {
    if (!(event instanceof MessageEvent)) note(["error", source.readyState]);
  });
  for (const type of types) {
    source.addEventListener(type, (event) => {
      if (event instanceof MessageEvent) note(["event", event.type, event.data, event.lastEventId, event.origin]);
    });
  }
  if (forMs !== null) setTimeout(end, forMs);
}
"""


def missing_programs() -> str:
    """Name the missing programs and how to install them; empty if all are there."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not found: on Debian, apt install chromium chromium-driver" if missing else ""


class Browser:
    """A browser at a page that opens an EventSource; ``driver`` does anything else."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        driver.set_script_timeout(LONGEST_S)

    def go_to(self, url: str) -> None:
        """Load a page."""
        self.driver.get(url)

    def watch(
        self, url: str, types: Sequence[str] = ("message",), *, enough: int | None = None, for_s: float | None = None
    ) -> list[list[Any]]:
        """Return the log of an EventSource until it is closed, for ``for_s`` seconds, or until ``enough`` entries
        (errors do not count).

        Each entry is ``["open", url]``, ``["error", readyState]``, ``["event", type, data, lastEventId, origin]``, or
        ``["refused", name]`` where there is no EventSource for that URL.
        """
        for_ms = None if for_s is None else round(for_s * 1000)
        found: list[list[Any]] = self.driver.execute_async_script(_WATCH, url, list(types), enough, for_ms)
        return found


def event_of(entry: list[Any]) -> Event:
    """Return the event that an entry of ``watch`` tells of."""
    _, event_type, data, last_event_id, _ = entry
    return Event(event_type, data, last_event_id)


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Run a browser that knows no host but this one."""
    options = Options()
    for argument in (
        "headless=new",
        "no-sandbox",  # it does not start as root with one
        "disable-dev-shm-usage",
        "disable-gpu",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "no-first-run",
        "no-proxy-server",
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"user-data-dir={profile}",
    ):
        options.add_argument(f"--{argument}")
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
