"""The words of findings on the audit: lost, duplicated and unordered events, and doubts about the sequence."""

from __future__ import annotations

from sseclient_cli.render.finding_words.words import Figures, Words, always, option
from sseclient_cli.render.quantities import counted


def _lost(figures: Figures) -> str:
    least = "" if figures["is_exact"] else "At least "
    were = "was" if figures["events"] == 1 else "were"
    return f"{least}{counted(figures['events'], 'event')} {were} lost, by the numbers in {figures['source']}."


def _duplicated(figures: Figures) -> str:
    return f"{counted(figures['events'], 'event')} arrived again, by the numbers in {figures['source']}."


def _out_of_order(figures: Figures) -> str:
    return f"{counted(figures['events'], 'event')} arrived after a later one, by the numbers in {figures['source']}."


def _on_lost(figures: Figures) -> str:
    if figures["reconnected"]:
        return (
            "Keep enough events to replay those after Last-Event-ID when a client reconnects. Otherwise, check the "
            "server's queue per subscriber: a full queue drops events."
        )
    return (
        "Check the server's queue per subscriber: a full queue drops events. With a broker, check its limits for slow "
        "consumers."
    )


def _on_duplicated(figures: Figures) -> str:
    if figures["reconnected"]:
        return (
            "After a reconnection, continue with the event after Last-Event-ID, not with that event or the first one."
        )
    return "Check for two subscriptions of one stream, and for a broker that delivers at least once."


def _sequence_uncertain(figures: Figures) -> str:
    return f"{figures['source']} may be a sequence number, but {figures['reason']}."


def _on_sequence_uncertain(figures: Figures) -> str:
    return f"--sequence {option(figures['source'])} audits it anyway, --sequence none hides this note."


def _renumbered(figures: Figures) -> str:
    return f"The numbering restarted on {counted(figures['streams'], 'stream')}, so the loss is unknown."


def _unconfirmed_loss(figures: Figures) -> str:
    are = "is" if figures["numbers"] == 1 else "are"
    return (
        f"{counted(figures['numbers'], 'number')} {are} missing on half of the streams or more: lost, or not sent to "
        "them."
    )


def _on_unconfirmed_loss(figures: Figures) -> str:
    return f"If the server skips no numbers, count them as lost with --sequence {option(figures['source'])}."


def _carried_ids(figures: Figures) -> str:
    have = "has" if figures["events"] == 1 else "have"
    return (
        f"{counted(figures['events'], 'event')} {have} the ID of the previous event: sent without an ID, or sent twice."
    )


def _streams_not_audited(figures: Figures) -> str:
    return (
        f"The audit excludes {counted(figures['streams'], 'stream')}, because {figures['source']} is not a sequence "
        "there."
    )


WORDS = {
    "events-lost": Words(_lost, _on_lost),
    "events-duplicated": Words(_duplicated, _on_duplicated),
    "events-out-of-order": Words(
        _out_of_order, always("Send all events of a stream from one task, in the order of their numbers.")
    ),
    "renumbered": Words(
        _renumbered,
        always(
            "Continue the numbers after a restart of the server and after a reconnection, or name another field with "
            "--sequence FIELD."
        ),
    ),
    "unconfirmed-loss": Words(_unconfirmed_loss, _on_unconfirmed_loss),
    "sequence-uncertain": Words(_sequence_uncertain, _on_sequence_uncertain),
    "carried-ids": Words(
        _carried_ids,
        always("Give each event its own ID to audit all of them; --sequence id counts repeated IDs as duplicated."),
    ),
    "streams-not-audited": Words(
        _streams_not_audited, always("Name a field that each stream numbers without gaps with --sequence FIELD.")
    ),
}
