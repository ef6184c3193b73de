"""The cases of tests/data/connection_cases.json that a script can play: the server's part, and the expected results.

A connection beyond the last script is answered with 204, so that every client stops by itself and an extra request is
recorded.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field

from scripted_server import CHUNKED, LAST_CHUNK, SSE, Do, Script, chunk, head, trickled

from conformance.clients import OPEN, Client
from sseclient_cli.sse.event_stream import Event

SOON = b"retry: 50\n\n"
"""Short enough for a test, long enough to differ from an immediate reconnection."""

A_MOMENT_S = 0.1
"""Between two writes: long enough for the client to have read the first."""

SLACK_S = 1.5
"""How much longer than specified a wait may be, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """The results of one client that differ, and the reason. None: no difference."""

    requests: tuple[str, ...] | None = None
    heard: tuple[str | Event, ...] | None = None
    waits_s: Mapping[int, tuple[float, float]] | None = None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: the scripts, and the results that every client must show, on the wire and in the program."""

    name: str
    """The name in the JSON file."""
    variant: str = ""
    scripts: tuple[Script, ...]
    requests: tuple[str, ...]
    """Each request's path, with its Last-Event-ID if it has one: "/ after 7"."""
    heard: tuple[str | Event, ...]
    waits_s: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """By the number of a request: minimum and maximum of the wait before the next one."""
    enough: int | None = None
    """The program closes the stream after this number of entries of ``heard``."""
    kind: str | None = None
    """The final error of our clients."""
    instead: Mapping[Client, Instead] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}: {self.variant}" if self.variant else self.name

    @property
    def seen(self) -> str:
        """The expected results, in a line of the table."""
        asks = ", ".join(f"`{_short(request)}`" for request in self.requests)
        heard = [_entry(entry) for entry in self.heard]
        hears = ", ".join(heard if len(heard) < 13 else [*heard[:3], "...", heard[-1]]) or "nothing"
        waits_s = ", ".join(f"{least_s:g} s" for least_s, _ in self.waits_s.values() if least_s)
        return f"asks {asks}; hears {hears}" + (f"; waits {waits_s}" if waits_s else "")


def _entry(entry: str | Event) -> str:
    if isinstance(entry, str):
        return entry
    return f"`{entry.data!r}`" + (f" (id `{_short(entry.id)!r}`)" if entry.id else "")


def _short(text: str) -> str:
    return text if len(text) < 30 else f"{text[:8]}... ({len(text)} characters)"


def message(data: str, last_event_id: str = "") -> Event:
    return Event("message", data, last_event_id)


def waits(at_least_s: float, *requests: int) -> Mapping[int, tuple[float, float]]:
    """Return ``waits_s`` of a client that waits after each of these requests (default: the first one)."""
    return dict.fromkeys(requests or (0,), (at_least_s, at_least_s + SLACK_S))


def refused(name: str, response: bytes, kind: str, variant: str = "") -> Case:
    """Return the case of a response that stops the client: one request, and nothing is heard."""
    # The second script is for a client that requests again.
    again = [head(), b"data: again\n\n"]
    return Case(
        name=name, variant=variant, scripts=([response, b"data: data\n\n"], again), requests=("/",), heard=(), kind=kind
    )


def one_event(
    name: str, *script: bytes | float, variant: str = "", instead: Mapping[Client, Instead] | None = None
) -> Case:
    """Return the case of a response that sends the event "x" and ends."""
    return Case(
        name=name,
        variant=variant,
        scripts=(script,),
        requests=("/", "/"),
        heard=(OPEN, message("x")),
        instead=instead or {},
    )


def content_type(value: bytes) -> bytes:
    return head(headers=b"Content-Type: %b\r\n" % value)


_NOT_UTF_8 = {
    Client.CHROMIUM: Instead(
        requests=("/",),
        heard=(),
        why="rejects a charset other than UTF-8; 9.2.3 checks only the essence of the type",
    )
}
OPENING = [
    one_event("mime-trailing-semicolon", content_type(b"text/event-stream;"), SOON, b"data: x\n\n"),
    *(
        one_event(
            "mime-charset-variants",
            content_type(b"text/event-stream; charset=" + charset),
            SOON,
            b"data: x\n\n",
            variant=charset.decode(),
            instead={} if b"8" in charset else _NOT_UTF_8,
        )
        for charset in (b"UTF-8", b"utf-8", b'"UTF-8"', b"windows-1251")
    ),
    one_event("mime-case-insensitive", content_type(b"Text/Event-Stream"), SOON, b"data: x\n\n"),
    refused("mime-valid-other", content_type(b"text/x-bogus"), "content-type", "text/x-bogus"),
    refused("mime-valid-other", content_type(b"text/html"), "content-type", "text/html"),
    Case(name="status-204", scripts=([head(204)], [head()]), requests=("/",), heard=()),
    *(refused(f"status-{status}", head(status), f"http-{status}") for status in (210, 299, 404, 503)),
    refused("status-202", head(202, b"Content-Type: text/html\r\n"), "http-202"),
    refused("status-500-spec", head(500), "http-500", "by default"),
]


def redirect(status: int, location: bytes) -> Script:
    return [head(status, b"Location: %b\r\nContent-Length: 0\r\n" % location)]


_FOUND = [head(), SOON + b"id: 1\ndata: x\n\n"]
REDIRECTS = [
    *(
        Case(
            name=f"redirect-{status}",
            scripts=(redirect(status, b"/real"), [head(), SOON + b"data: x\n\n", Do.HOLD]),
            requests=("/", "/real"),
            heard=(OPEN, message("x")),
            enough=2,
        )
        for status in (301, 302, 307, 308)
    ),
    Case(
        name="redirect-reconnect-uses-original",
        scripts=(redirect(307, b"/real"), _FOUND, redirect(307, b"/real"), _FOUND),
        requests=("/", "/real", "/ after 1", "/real after 1", "/ after 1"),
        heard=(OPEN, message("x", "1")) * 2,
        instead={
            Client.CHROMIUM: Instead(
                requests=("/", "/real", *["/real after 1"] * 3),
                why="reconnects to the redirected URL, as Fetch 4.4 does for a repeated request; ours request the "
                "original URL again, so that a load balancer can redirect each connection",
            )
        },
    ),
    *(
        refused("redirect-missing-location", head(status, b"Content-Length: 0\r\n"), f"http-{status}", str(status))
        for status in (301, 307)
    ),
    *(
        refused(
            "redirect-empty-location",
            head(status, b"Location: \r\nContent-Length: 0\r\n"),
            f"http-{status}",
            str(status),
        )
        for status in (301, 307)
    ),
]

_CUT = [head(headers=CHUNKED), chunk(SOON + b"id: 1\ndata: x\n\n"), b"ff\r\ndata: y"]
_NO_BACKOFF = {
    Client.CHROMIUM: Instead(
        waits_s={},
        why="retries after the same reconnection time each time; 9.2.3 allows a longer delay, which ours use",
    )
}
RECONNECTING = [
    Case(
        name="reconnect-retry-honoured",
        scripts=([head(), b"retry:0400\ndata:x"],),
        requests=("/", "/"),
        heard=(OPEN,),
        waits_s=waits(0.4),
    ),
    Case(
        name="reconnect-retry-bogus-keeps",
        scripts=([head(), b"retry:400\nretry:9000x\ndata:x"],),
        requests=("/", "/"),
        heard=(OPEN,),
        waits_s=waits(0.4),
    ),
    Case(
        name="reconnect-retry-without-event",
        scripts=([head(), b"retry: 100\n\n"],),
        requests=("/", "/"),
        heard=(OPEN,),
        waits_s={0: (0.1, 2.5)},
    ),
    Case(
        name="reconnect-default-delay",
        scripts=([head(), b"data: x\n\n"],),
        requests=("/", "/"),
        heard=(OPEN, message("x")),
        waits_s=waits(3.0),
    ),
    Case(
        name="reconnect-retry-persists",
        scripts=([head(), b"retry: 300\n\n"], [head(), b"data: x\n\n"], [head()]),
        requests=("/", "/", "/", "/"),
        heard=(OPEN, OPEN, message("x"), OPEN),
        waits_s=waits(0.3, 0, 1, 2),
    ),
    Case(
        name="reconnect-retry-zero",
        scripts=([head(), b"retry: 0\ndata: x\n\n"], [head(), b"data: y\n\n"]),
        requests=("/", "/", "/"),
        heard=(OPEN, message("x"), OPEN, message("y")),
        waits_s={0: (0, SLACK_S), 1: (0, SLACK_S)},
    ),
    Case(
        name="reconnect-retry-zero",
        variant="connections that bring nothing",
        scripts=([head(), b"retry: 0\n\n"], [head()], [head(), b"data: x\n\n", A_MOMENT_S, b":\n"], [head()]),
        requests=("/",) * 5,
        heard=(OPEN, OPEN, OPEN, message("x"), OPEN),
        waits_s=waits(0.1, 0, 1, 3),
        instead={
            Client.CHROMIUM: Instead(
                waits_s={},
                why="also reconnects at once after a connection without events, without limit; ours then wait for "
                "0.1 s",
            )
        },
    ),
    Case(
        name="reconnect-functional-after-break",
        scripts=([head(), SOON, b"id: abc\ndata: Hello\n\n"], [head(), b"id: def\ndata: World\n\n"]),
        requests=("/", "/ after abc", "/ after def"),
        heard=(OPEN, message("Hello", "abc"), OPEN, message("World", "def")),
    ),
    Case(
        name="reconnect-tcp-rst",
        scripts=([*_CUT, A_MOMENT_S, Do.RESET],),
        requests=("/", "/ after 1"),
        heard=(OPEN, message("x", "1")),
    ),
    Case(name="reconnect-truncated-chunked", scripts=(_CUT,), requests=("/", "/ after 1"),
         heard=(OPEN, message("x", "1"))),
    Case(
        name="reconnect-dedup",
        # A broken chunk, more of it, and a reset: several errors, one connection.
        scripts=([head(headers=CHUNKED), chunk(SOON), A_MOMENT_S, b"zz\r\n", b"zz\r\n", Do.RESET], [head(), SOON]),
        requests=("/", "/", "/"),
        heard=(OPEN, OPEN),
    ),
    Case(
        name="reconnect-backoff",
        scripts=([head(), b"retry: 100\ndata: x\n\n"], [], [], []),
        requests=("/",) * 5,
        heard=(OPEN, message("x")),
        # The waits are 1, 2 and 4 times the reconnection time, minus up to half of that (jitter).
        waits_s={0: (0.1, SLACK_S), 1: (0.1, SLACK_S), 2: (0.1, SLACK_S), 3: (0.2, SLACK_S)},
        instead=_NO_BACKOFF,
    ),
    Case(
        name="reconnect-backoff-reset",
        scripts=([head(), b"retry: 100\ndata: x\n\n"], [], [], [], [], [], [head(), b"data: y\n\n"], []),
        requests=("/",) * 9,
        heard=(OPEN, message("x"), OPEN, message("y")),
        # After a sixth failure in a row, the wait would be at least 1.6 s.
        waits_s={4: (0.4, 2.5), 7: (0.1, 1.5)},
        instead=_NO_BACKOFF,
    ),
]  # fmt: skip


def ids(first: int, last: int) -> bytes:
    return b"".join(b"id: %d\ndata: %d\n\n" % (number, number) for number in range(first, last + 1))


LAST_EVENT_IDS = [
    Case(
        name="leid-sent",
        scripts=([head(), SOON, b"id: abc\ndata: Hello\n\n"],),
        requests=("/", "/ after abc"),
        heard=(OPEN, message("Hello", "abc")),
    ),
    Case(
        name="leid-cleared-no-header",
        scripts=([head(), SOON, b"id: abc\ndata: Hello\n\n"], [head(), b"id: \ndata: World\n\n"]),
        requests=("/", "/ after abc", "/"),
        heard=(OPEN, message("Hello", "abc"), OPEN, message("World")),
    ),
    Case(
        name="leid-id-only-block",
        scripts=([head(), SOON, b"id: 1337\n\n"],),
        requests=("/", "/ after 1337"),
        heard=(OPEN,),
    ),
    Case(
        name="leid-incomplete-block",
        scripts=([head(), SOON, b"id: 1\ndata: 1\n\nid: 2\n"],),
        requests=("/", "/ after 1"),
        heard=(OPEN, message("1", "1")),
    ),
    Case(
        name="leid-null-ignored",
        scripts=([head(), b"id: x\0\nretry: 50\ndata: hello\n\n"],),
        requests=("/", "/"),
        heard=(OPEN, message("hello")),
    ),
    Case(
        name="leid-persists-without-new-id",
        scripts=([head(), SOON, b"id: 7\ndata: a\n\n"], [head(), b"data: b\n\n"], [head()], [head(), b"data: c\n\n"]),
        requests=("/", *["/ after 7"] * 4),
        heard=(OPEN, message("a", "7"), OPEN, message("b", "7"), OPEN, OPEN, message("c", "7")),
    ),
    Case(
        name="leid-long-255",
        scripts=([head(), SOON, b"id: " + b"a" * 255 + b"\ndata: x\n\n"],),
        requests=("/", "/ after " + "a" * 255),
        heard=(OPEN, message("x", "a" * 255)),
    ),
    Case(
        name="leid-surrounding-space",
        scripts=([head(), SOON, b"id:  7 \ndata: x\n\n"],),
        requests=("/", "/ after 7"),
        heard=(OPEN, message("x", " 7 ")),
    ),
    Case(
        name="leid-sequence",
        scripts=([head(), SOON, ids(1, 3)], [head(), ids(4, 6)], [head(), ids(7, 9)]),
        requests=("/", "/ after 3", "/ after 6", "/ after 9"),
        heard=tuple(
            entry
            for number in range(1, 10)
            for entry in ([OPEN] * (number % 3 == 1) + [message(str(number), str(number))])
        ),
    ),
    Case(
        name="leid-updates-each-reconnect",
        scripts=([head(), SOON, ids(1, 1)], [head(), ids(5, 5)], [head(), b"id: 9\n\n"], [head(), ids(12, 12)]),
        requests=("/", "/ after 1", "/ after 5", "/ after 9", "/ after 12"),
        heard=(OPEN, message("1", "1"), OPEN, message("5", "5"), OPEN, OPEN, message("12", "12")),
    ),
]

BODIES = [
    Case(
        name="heartbeats-not-events",
        scripts=([head(), SOON, b"id: 1\ndata: x\n\n", *(A_MOMENT_S, b": ping\n\n") * 3],),
        requests=("/", "/ after 1"),
        heard=(OPEN, message("x", "1")),
    ),
    Case(
        name="order-100",
        scripts=([head(), SOON + b"".join(b"data: %d\n\n" % number for number in range(100))],),
        requests=("/", "/"),
        heard=(OPEN, *(message(str(number)) for number in range(100))),
    ),
    Case(
        name="trickle-chunks",
        variant="pauses",
        scripts=([head(), SOON, b"data:1", A_MOMENT_S, b"2\n", A_MOMENT_S, b"\n"],),
        requests=("/", "/"),
        heard=(OPEN, message("12")),
    ),
    Case(
        name="trickle-chunks",
        variant="single bytes",
        scripts=([head(), SOON, *trickled("data: € 火 🚒\n\n".encode())],),
        requests=("/", "/"),
        heard=(OPEN, message("€ 火 🚒")),
    ),
    one_event("transfer-modes", head(headers=CHUNKED), chunk(SOON), chunk(b"data: x\n\n"), LAST_CHUNK,
              variant="chunked"),
    one_event("transfer-modes", head(headers=SSE + b"Content-Length: 20\r\n"), SOON + b"data: x\n\n",
              variant="Content-Length"),
    one_event("transfer-modes", b"HTTP/1.0 200 OK\r\n" + SSE + b"\r\n", SOON + b"data: x\n\n", variant="HTTP/1.0"),
    one_event("transfer-modes", head(headers=SSE + b"Content-Encoding: gzip\r\n"),
              gzip.compress(SOON + b"data: x\n\n"), variant="gzip, though not requested"),
    one_event(
        "chunk-extensions-and-trailers",
        head(headers=CHUNKED),
        b'00B;ext=1;other="a;b"\r\nretry: 50\n\n\r\n',
        b"0000A\r\ndata: x\n\n\n\r\n0\r\nTrailer: t\r\n\r\n",
    ),
    one_event("interim-1xx", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", head(), SOON + b"data: x\n\n"),
]  # fmt: skip

DECISIONS = [
    Case(
        name="retry-empty",
        scripts=([head(), SOON + b"retry:\nretry\ndata: x\n\n"],),
        requests=("/", "/"),
        heard=(OPEN, message("x")),
        waits_s=waits(0.05),
        instead={
            Client.CHROMIUM: Instead(
                waits_s=waits(3.0),
                why="resets to its default; ours ignore it, because an empty value has no digits (9.2.6)",
            )
        },
    ),
    Case(
        name="leid-controls",
        scripts=([head(), SOON, b"id: a\x01b\x7f\ndata: x\n\n"],),
        requests=("/", "/"),
        heard=(OPEN, message("x", "a\x01b\x7f")),
        instead={
            Client.CHROMIUM: Instead(
                requests=("/", "/ after a\x01b\x7f"),
                why="sends control characters unchanged; ours send no header, because HTTP forbids them in values "
                "(RFC 9110 5.5)",
            )
        },
    ),
    Case(
        name="leid-only-spaces",
        scripts=([head(), SOON, b"id: \t \ndata: x\n\n"],),
        requests=("/", "/"),
        heard=(OPEN, message("x", "\t ")),
        instead={
            Client.CHROMIUM: Instead(
                requests=("/", "/ after "), why="sends an empty header; ours send none, as for an empty ID"
            )
        },
    ),
    Case(
        name="bom-then-line-end",
        scripts=([head(), b"\xef\xbb\xbf\ndata: x\n\n" + SOON],),
        requests=("/", "/"),
        heard=(OPEN, message("x")),
        instead={
            Client.CHROMIUM: Instead(
                heard=(OPEN,),
                why="treats a line end directly after a byte order mark as a part of the next line; by 9.2.5 it ends "
                "a line",
            )
        },
    ),
]

CASES = [*OPENING, *REDIRECTS, *RECONNECTING, *LAST_EVENT_IDS, *BODIES, *DECISIONS]
