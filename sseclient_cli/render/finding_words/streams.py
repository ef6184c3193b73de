"""The words of findings on streams: silent ones, cut ones, and those without an event."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always
from sseclient_cli.render.quantities import counted, duration, percent


def _silent_streams(figures: Figures) -> str:
    return (
        f"{figures['streams']:,} of {counted(figures['opened'], 'stream')} went silent, the longest for the last "
        f"{duration(figures['longest_ms'])}: no byte for many times their longest earlier pause."
    )


def _streams_without_event(figures: Figures) -> str:
    return f"{figures['streams']:,} of {counted(figures['opened'], 'stream')} received no event."


def _bytes_without_event(figures: Figures) -> str:
    return (
        f"{figures['streams']:,} of {counted(figures['opened'], 'stream')} received bytes that form no event. The "
        f"first one: {figures['example']}."
    )


def _unanswered(figures: Figures) -> str:
    return (
        f"{figures['requests']:,} of {counted(figures['sent'], 'request')} received no response head; the headers row "
        "excludes them."
    )


def _idle_cuts(figures: Figures) -> str:
    return (
        f"{counted(figures['connections'], 'connection')} ended after {duration(figures['silence_ms'])} without a "
        "byte, like after an idle timeout of a proxy."
    )


def _more_heartbeats(figures: Figures) -> str:
    return (
        f"Send a comment (`: ping`) at least every {duration(figures['silence_ms'] / 2)}, or raise the timeout: "
        "`proxy_read_timeout` in nginx, `timeout server` and `timeout client` in HAProxy, the idle timeout of a cloud "
        "load balancer."
    )


def _reach_incomplete(figures: Figures) -> str:
    return (
        f"{figures['reached_all']:,} of {counted(figures['events'], 'broadcast event')} reached all "
        f"{figures['streams']:,} sampled streams; on average, a stream received {percent(figures['share'])} of them."
    )


def _forced_merge(figures: Figures) -> str:
    more = figures["differences"] - 1
    rest = f" (and {counted(more, 'further difference')})" if more else ""
    return f"{figures['reports']} reports were merged that do not belong together: {figures['first']}{rest}."


WORDS = {
    "reach-incomplete": Words(
        _reach_incomplete,
        always(
            "If the server has several processes, connect them with a broker (such as Redis pub/sub), or run one "
            "process; otherwise, check whether it drops events for slow subscribers."
        ),
    ),
    "bytes-without-event": Words(
        _bytes_without_event,
        always(
            "End each event with a blank line, and start each line of its data with `data:`; `curl -N` shows the bytes "
            "as the server sends them."
        ),
    ),
    "silent-streams": Words(
        _silent_streams,
        always(
            "Check the server for tasks that ended or hang without closing their stream. --idle-timeout TIME closes "
            "such streams and counts them as errors."
        ),
    ),
    "unanswered": Words(
        _unanswered,
        always(
            "Send the response head before the first event, and set `proxy_buffering off` and `gzip off` in nginx. If "
            "the server was overloaded, give it more processes or lower -n."
        ),
    ),
    "streams-without-event": Words(
        _streams_without_event,
        always(
            "If events are rare, run longer (-z) or send some during the run. Otherwise, compare with one stream: "
            "`sse watch URL`."
        ),
    ),
    "idle-cuts": Words(_idle_cuts, _more_heartbeats),
    "forced-merge": Words(
        _forced_merge, always("Compare such runs with `sse compare`; merge only shards of one load on one target.")
    ),
}
