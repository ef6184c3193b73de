"""Options that people know from other tools (curl, oha, hey, wrk), and what to use here."""

from __future__ import annotations

_NO_BUFFERING = "events are shown as they arrive: leave it out"
_THREADS = "use --workers COUNT for processes in bench"
_LIMIT = "use --duration TIME (-z) for the run, --timeout TIME for the time to the response head"
_BODY_FILE = "use --data @FILE"

_HINTS = {
    "-N": _NO_BUFFERING, "--no-buffer": _NO_BUFFERING,
    "-s": "use -q to write no progress", "--silent": "use -q to write no progress", "-S": "errors are always written",
    "-L": "redirects are followed: leave it out", "--location": "redirects are followed: leave it out",
    "-t": f"for a time limit use --timeout TIME; for threads {_THREADS}", "--threads": _THREADS, "-p": _THREADS,
    "-T": f"use -H 'Content-Type: ...' for the type of the body; {_BODY_FILE} to send a file",
    "--max-time": _LIMIT, "--connect-timeout": "use --timeout TIME",
    "-D": _BODY_FILE, "--body": "use -d BODY", "--data-raw": "use -d BODY", "--data-binary": "use -d BODY, or -d @FILE",
    "--json-body": "use -d BODY", "-F": "use --data @FILE and -H 'Content-Type: ...'",
    "-a": "use -u USER:PASS", "-A": "use -H 'User-Agent: ...'", "--user-agent": "use -H 'User-Agent: ...'",
    "-e": "use -H 'Referer: ...'", "--accept": "use -H 'Accept: ...'", "--url": "give the URL without an option",
    "--headers": "use -H 'Name: value'", "--request": "use -X METHOD", "--requests": "use -n COUNT for streams",
    "-E": "use --cert FILE", "--ca-certificate": "use --cacert FILE", "--host": "use -H 'Host: ...' or --connect-to",
    "--resolve": "use --connect-to HOST:PORT", "--interface": "use --source-address ADDRESS",
    "--query-per-second": "use --rate COUNT/s for new streams per second", "--latency": "percentiles are always shown",
    "--output-format": "use --json FILE", "--disable-keepalive": "each stream has its own connection: leave it out",
    "--concurrency": "use -n COUNT (or -c)", "--count": "use -n COUNT", "--event": "use --events COUNT, or sse watch",
    "-i": "use -v to see the response", "--include": "use -v to see the response",
}  # fmt: skip


def habit_hint(option: str) -> str:
    """Return what to use instead of an unknown option, to follow the message; empty if that is not known."""
    hint = _HINTS.get(option, "")
    return f": {hint}" if hint else ""
