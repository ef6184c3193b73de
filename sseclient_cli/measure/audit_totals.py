"""Sums the sequence checks of many streams in a form that merges, and judges them.

Pure. A stream adds the numbers that it spanned and those that it received, each as changes at the ends of ranges, so a
run of any length takes a few entries per stream. Numbers that no stream received are distinguished from those that some
stream received. This matters for a detected field: a missing number counts as lost only if most of the streams that
span it received it. Otherwise the server may never have sent it (a database skips numbers), or sent it to some streams
only (a message for one user).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sseclient_cli.measure.field_search import Trust
from sseclient_cli.measure.merging import Merging, by_rule, mergeable, summed
from sseclient_cli.measure.numbering import Numbering
from sseclient_cli.measure.sequence_audit import SequenceCheck

LEAST_SUPPORT = 3
"""Streams that must confirm a sequence for each stream that refutes it."""

LEAST_NUMBERS = 20
"""Mean numbers per stream that a field without a telling name must have: any gauge may grow by one a few times."""

MAX_ENTRIES = 200_000
"""Maximum of range ends that are kept, about 100 bytes each. Further gaps count in ``unlocated``."""


def _with_changes(changes: Counter[int], others: Mapping[int, int]) -> Counter[int]:
    """Add changes, and drop those that are zero afterwards: many streams end where others begin."""
    for at, by in others.items():
        together = changes.get(at, 0) + by
        if together:
            changes[at] = together
        else:
            changes.pop(at, None)
    return changes


@mergeable
@dataclass(slots=True)
class FieldAudit(Merging):
    """The checks of one field. All counts except ``refuting`` are of streams that do not refute it."""

    trust: Trust | None = by_rule(lambda _ours, theirs: theirs, default=None)
    """None if the user has named the field."""
    streams: int = summed()
    refuting: int = summed()
    """Streams whose numbers refute this field as a sequence."""
    renumbered: int = summed()
    """Streams with a new numbering: the loss between two numberings is unknown."""
    by_type: int = summed()
    """Streams with a numbering per event type."""
    checked: int = summed()
    carried: int = summed()
    """Events with the id of the event before, which are not checked."""
    duplicated: int = summed()
    out_of_order: int = summed()
    unlocated: int = summed()
    """Missing numbers without a record of the streams that received them."""
    skipped: int = summed()
    """Missing numbers between the last event of a connection and the first one of the next."""
    resume_duplicated: int = summed()
    """Duplicates since the first reconnection of a stream."""
    foreign: int = summed()
    """Events since the first reconnection that precede the first event of the stream."""
    spanned: Counter[int] = by_rule(_with_changes, factory=Counter)
    """Streams that span a number, from their first to their last one: the change from the number before."""
    received: Counter[int] = by_rule(_with_changes, factory=Counter)
    """Streams that received a number: the change from the number before."""

    def add(self, check: SequenceCheck) -> None:
        """Add the check of a finished stream."""
        if not check.is_decided:
            check.settle()
        if not check.checked:
            return
        if not check.is_faultless and check.is_refuted:
            self.refuting += 1
            return
        self.streams += 1
        self.checked += check.checked
        self.carried += check.carried
        if check.is_faultless:  # the usual case, at a fifth of the cost: the live view adds each stream again and again
            self._add(check.whole)
            return
        numberings = check.numberings
        self.by_type += len(numberings) > 1
        self.renumbered += check.is_renumbered
        for numbering in numberings:
            self._add(numbering)

    def copied(self) -> FieldAudit:
        """Return a copy that can change."""
        return replace(self, spanned=Counter(self.spanned), received=Counter(self.received))

    def _add(self, numbering: Numbering) -> None:
        if numbering.first is None:
            return
        faults = numbering.faults
        spans = [(numbering.first, numbering.expected)]
        gaps: list[tuple[int, int]] = []
        if faults is not None:
            self.duplicated += faults.duplicated
            self.out_of_order += faults.out_of_order
            self.unlocated += faults.unlocated
            self.skipped += faults.skipped
            self.resume_duplicated += faults.resume_duplicated
            self.foreign += faults.foreign
            spans += faults.ended
            gaps = [*faults.ranges, *((number, number + 1) for number in faults.missing)]
        if len(self.spanned) + len(self.received) > MAX_ENTRIES:
            self.unlocated += sum(end - first for first, end in gaps)
            return
        for first, end in spans:
            _change(self.spanned, first, end, 1)
            _change(self.received, first, end, 1)
        for first, end in gaps:
            _change(self.received, first, end, -1)


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit. ``lost`` is the sum of the losses of each stream; None if it is unknown."""

    source: str
    checked: int
    lost: int | None
    lost_at_least: int
    duplicated: int
    out_of_order: int
    unconfirmed: int
    """Numbers that are missing on half of the streams or more: the server may not have sent them there."""
    renumbered_streams: int
    carried: int
    """Events with the id of the event before: without an id of their own, or sent twice with other content."""
    by_type: bool
    refuting_streams: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field that looked like a sequence for a while, and the reason why it was dropped."""

    source: str
    reason: str


def judge(audits: dict[str, FieldAudit]) -> tuple[Audit | None, list[Candidate]]:
    """Return the combined audit of all fields, and the fields that prove nothing."""
    good: list[tuple[str, FieldAudit, _Missing]] = []
    candidates = []
    for source, audit in sorted(audits.items(), key=lambda item: (-item[1].checked, item[0])):
        missing = _missing(audit)
        reason = _refutation(audit, missing)
        if reason:
            candidates.append(Candidate(source, reason))
        elif (
            audit.streams and audit.trust is Trust.ONLY_WITHOUT_FAULT and audit.checked < LEAST_NUMBERS * audit.streams
        ):
            candidates.append(Candidate(source, "it has too few numbers, and its name is not that of a sequence"))
        elif audit.streams:
            good.append((source, audit, missing))
    if not good:
        return None, candidates
    is_named = any(audit.trust is None for _, audit, _ in good)
    located = sum(missing.total if audit.trust is None else missing.confirmed for _, audit, missing in good)
    lost = located + sum(audit.unlocated for _, audit, _ in good if audit.trust is None)
    renumbered = sum(audit.renumbered for _, audit, _ in good)
    found = Audit(
        source=", ".join(source for source, _, _ in good),
        checked=sum(audit.checked for _, audit, _ in good),
        lost=None if renumbered else lost,
        lost_at_least=lost,
        duplicated=sum(audit.duplicated for _, audit, _ in good),
        out_of_order=sum(audit.out_of_order for _, audit, _ in good),
        unconfirmed=0 if is_named else sum(missing.unconfirmed + audit.unlocated for _, audit, missing in good),
        renumbered_streams=renumbered,
        carried=sum(audit.carried for _, audit, _ in good),
        by_type=any(audit.by_type for _, audit, _ in good),
        refuting_streams=sum(audit.refuting for _, audit, _ in good),
    )
    return found, candidates


@dataclass(slots=True)
class _Missing:
    """Numbers between the first and the last one of a stream that the stream did not receive."""

    total: int = 0
    """Summed over the streams."""
    confirmed: int = 0
    """The part of ``total`` that most of the streams that span the number received."""
    unconfirmed: int = 0
    """Numbers that half or more of the streams that span them did not receive."""
    alone: int = 0
    """Numbers that several streams span and only one received."""
    shared: int = 0
    """Numbers that several streams received."""


def _missing(audit: FieldAudit) -> _Missing:
    found = _Missing()
    for length, spanned, received in _ranges(audit):
        gaps = spanned - received
        found.total += gaps * length
        if received > gaps:
            found.confirmed += gaps * length
        elif gaps > 0:
            found.unconfirmed += length
        if spanned > 1:
            found.alone += length * (received == 1)
            found.shared += length * (received > 1)
    return found


def _ranges(audit: FieldAudit) -> Iterator[tuple[int, int, int]]:
    """Yield each range without a change: its length, and the numbers of streams that span it and that received it."""
    ends = sorted(audit.spanned.keys() | audit.received.keys())
    spanned = received = 0
    for at, following in zip(ends, [*ends[1:], *ends[-1:]], strict=True):
        spanned += audit.spanned[at]
        received += audit.received[at]
        yield following - at, spanned, received


def _refutation(audit: FieldAudit, missing: _Missing) -> str:
    """Return why a detected field is not a sequence; empty if it may be one."""
    if audit.trust is None:
        return ""
    if audit.refuting and (audit.trust is Trust.ONLY_WITHOUT_FAULT or audit.streams < LEAST_SUPPORT * audit.refuting):
        return f"its numbers are not consecutive on {audit.refuting:,} of {audit.refuting + audit.streams:,} streams"
    if audit.trust is Trust.ONLY_WITHOUT_FAULT and audit.checked < LEAST_NUMBERS * audit.streams:
        return "it has too few numbers, and its name is not that of a sequence"
    if missing.alone > missing.shared:
        return "each stream receives different numbers, as if from one shared counter"
    return ""


def _change(changes: Counter[int], first: int, end: int, by: int) -> None:
    for at, change in ((first, by), (end, -by)):
        together = changes.get(at, 0) + change
        if together:
            changes[at] = together
        else:
            changes.pop(at, None)
