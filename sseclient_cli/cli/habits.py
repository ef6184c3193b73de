"""Hints for options of other tools (curl, oha, hey, wrk): the option of this program that does the same.

Of several hints, a command shows the first whose options it has. Text in backticks is a complete command.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_NO_BUFFERING = ("events are shown as they arrive: leave it out",)
_REDIRECTS = ("redirects are followed: leave it out",)
_THREADS = ("use --workers COUNT for worker processes", "one stream needs no threads: leave it out")
_LIMIT = ("use --duration TIME for the run, --timeout TIME for the time to the response head",)
_BODY = ("use --data BODY, or --data @FILE",)
_BODY_FILE = ("use --data @FILE",)
_RESPONSE = ("`sse watch URL -v` shows the response",)
_STREAMS = ("use --connections COUNT for streams", "`sse bench URL -n COUNT` opens many streams")
_USER_AGENT = ("use --header 'User-Agent: ...'",)

_HINTS = {
    "-N": _NO_BUFFERING, "--no-buffer": _NO_BUFFERING,
    "-s": ("use --quiet to write no progress",), "--silent": ("use --quiet to write no progress",),
    "-S": ("errors are always written: leave it out",), "--show-error": ("errors are always written: leave it out",),
    "-L": _REDIRECTS, "--location": _REDIRECTS,
    "-t": (f"use --timeout TIME for a time limit; for threads {_THREADS[0]}", "use --timeout TIME for a time limit"),
    "--threads": _THREADS, "-p": _THREADS, "--workers": _THREADS,
    "-T": ("use --header 'Content-Type: ...' for the type of the body; use --data @FILE to send a file",),
    "--max-time": _LIMIT, "--connect-timeout": ("use --timeout TIME",),
    "-D": _BODY_FILE, "--body": _BODY, "--data-raw": _BODY, "--data-binary": _BODY, "--json-body": _BODY,
    "-F": ("use --data @FILE and --header 'Content-Type: ...'",),
    "-a": ("use --user USER:PASS",), "-A": _USER_AGENT, "--user-agent": _USER_AGENT,
    "-e": ("use --header 'Referer: ...'",), "--accept": ("use --header 'Accept: ...'",),
    "--url": ("write the URL without an option",), "--headers": ("use --header 'Name: value'",),
    "--request": ("use --method METHOD",), "--requests": _STREAMS, "--concurrency": _STREAMS, "-c": _STREAMS,
    "--connections": _STREAMS, "--count": ("use --connections COUNT for streams",),
    "-E": ("use --cert FILE",), "--ca-certificate": ("use --cacert FILE",),
    "--host": ("use --header 'Host: ...', or --connect-to HOST:PORT",),
    "--resolve": ("use --connect-to HOST:PORT",), "--interface": ("use --source-address ADDRESS",),
    "--query-per-second": ("use --rate COUNT/s for new streams per second",),
    "--latency": ("percentiles are always shown: leave it out",), "--output-format": ("use --json FILE",),
    "--disable-keepalive": ("each stream has its own connection: leave it out",),
    "--event": ("use --events COUNT to close streams after COUNT events, or `sse watch --event TYPE`",),
    "--events": ("use --count COUNT to stop after COUNT events",),
    "-i": _RESPONSE, "--include": _RESPONSE, "-v": _RESPONSE, "--verbose": _RESPONSE,
}  # fmt: skip

_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def habit_hint(option: str, options: Collection[str]) -> str:
    """Return the hint for an unknown option, for a command with these options; empty without one."""
    for hint in _HINTS.get(option, ()):
        if set(_OPTION.findall(re.sub(r"`[^`]*`", "", hint))) <= set(options):
            return hint
    return ""
