"""The words of findings on published events: missing deliveries, and a publisher that failed or was late."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always
from sseclient_cli.render.quantities import counted, duration, percent

EVEN = 0.25
"""Streams received about 1/k of the events if the reach differs from it by at most this share."""


def _split(figures: Figures) -> str:
    processes = figures["processes"]
    among = f"the server seems to fan out within each of {processes:,} processes"
    if figures["all_or_nothing"]:
        complete = figures["streams"] - figures["without"]
        return (
            f"{complete:,} of {counted(figures['streams'], 'stream')} received every published event, the others none: "
            f"{among}."
        )
    if abs(figures["reach"] * processes - 1) > EVEN:
        events = counted(figures["events"], "published event")
        return f"{events} were divided between the streams (reach {percent(figures['reach'])}): {among}."
    share = "half" if processes == 2 else f"1/{processes}"
    return (
        f"Each stream received about {share} of {counted(figures['events'], 'published event')} "
        f"(reach {percent(figures['reach'])}): {among}."
    )


def _missed(figures: Figures) -> str:
    named = figures["named"]
    more = figures["incomplete"] - len(named)
    names = ", ".join(map(str, named)) + (f" and {more:,} more" if more else "")
    return (
        f"{figures['missed']:,} of {figures['expected']:,} deliveries are missing (reach "
        f"{percent(figures['reach'])}), on {figures['incomplete']:,} of {counted(figures['streams'], 'stream')}: "
        f"{names}."
    )


def _nothing(figures: Figures) -> str:
    return f"{counted(figures['events'], 'published event')} reached none of {counted(figures['streams'], 'stream')}."


def _duplicated(figures: Figures) -> str:
    return f"Streams received published events again, {counted(figures['events'], 'time')} in all."


def _out_of_order(figures: Figures) -> str:
    return (
        f"Published events arrived after a later one on the same stream, {counted(figures['events'], 'time')} in all."
    )


def _failed(figures: Figures) -> str:
    first = f" The first error: {figures['example'].rstrip('.?')}." if figures["example"] else ""
    return f"{figures['failed']:,} of {counted(figures['attempts'], 'event')} could not be published.{first}"


def _on_missed(figures: Figures) -> str:
    if figures["requests_differ"]:
        return (
            "The streams have different requests: those that do not subscribe to the published channel receive "
            "nothing. Publish to a channel that all of them have."
        )
    return "Check the server's queue per subscriber: a full queue drops events. The JSON report names the streams."


def _on_failed(figures: Figures) -> str:
    if figures["kind"].startswith("http-5"):
        return "Read the server's log: it could not process the publish request."
    if figures["is_command"]:
        return (
            "Run the command of --publish-command by hand: it reads one event per line from its stdin, until the end."
        )
    return "Check the publisher's URL; --publish-method, --publish-header and --publish-body change its requests."


def _late(figures: Figures) -> str:
    took = figures["request_p50_ms"]
    because = "" if took is None else f", because a publish request takes {duration(took)} (median)"
    return (
        f"The publisher did not keep its rate of {figures['rate_per_s']:g}/s{because}: {figures['late']:,} of "
        f"{counted(figures['planned'], 'event')} were late, by up to {duration(figures['latest_ms'] or 0)}."
    )


WORDS = {
    "fanout-split": Words(
        _split,
        always(
            "Connect the server's processes with a broker (such as Redis pub/sub), or run one process; `sse bench` "
            "publishes each event on a new connection."
        ),
    ),
    "fanout-missed": Words(_missed, _on_missed),
    "fanout-nothing": Words(
        _nothing,
        always(
            "Check that both URLs have the same channel, and that the server sends the published text, at least the "
            "{token} in it, to subscribers."
        ),
    ),
    "fanout-duplicated": Words(
        _duplicated, always("Check for two subscriptions of one stream, and for a broker that delivers at least once.")
    ),
    "fanout-out-of-order": Words(
        _out_of_order, always("Send all events of a stream from one task, in the order of their publication.")
    ),
    "publish-failed": Words(_failed, _on_failed),
    "nothing-published": Words(_failed, _on_failed),
    "publish-late": Words(
        _late,
        always(
            "Delays count from the actual publication and do not show this wait (coordinated omission). Lower "
            "--publish-rate, or let the server answer before it has sent the event to all streams."
        ),
    ),
}
