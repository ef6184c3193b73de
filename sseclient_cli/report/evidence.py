"""Data for merging reports, beyond the figures, with the audits of each field: see ``measure/audit_totals.py``."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Self

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.report.distributions import Durations
from sseclient_cli.report.figure import Part, figure
from sseclient_cli.report.recovery_model import RecoveryEvidence

Changes = list[tuple[int, int]]
"""Pairs of a number, and the change of a count at that number."""


class FieldEvidence(Part):
    """The audit of one field. All counts except ``refuting`` exclude the streams that refute the field."""

    source: str = figure("The field.")
    trust: int | None = figure("How well it is confirmed as a sequence, 0 to 2; null if the user named it.")
    streams: int = figure("Streams that have the field.", ge=0)
    refuting: int = figure("Streams on which the field is not a sequence.", ge=0)
    renumbered: int = figure("Streams on which the numbering restarted.", ge=0)
    by_type: int = figure("Streams on which each event type has its own numbering.", ge=0)
    checked: int = figure("Events checked.", ge=0)
    carried: int = figure("Events with the id of the previous event.", ge=0)
    duplicated: int = figure("Events received again.", ge=0)
    out_of_order: int = figure("Events received after a larger number.", ge=0)
    unlocated: int = figure("Missing numbers that another stream may or may not have received.", ge=0)
    skipped: int = figure("Missing numbers between two connections of a stream.", default=0, ge=0)
    resume_duplicated: int = figure("Events received again after a reconnection.", default=0, ge=0)
    foreign: int = figure("Events after a reconnection that precede the first event of the stream.", default=0, ge=0)
    spanned: Changes = figure("Pairs of a number, and how many more streams span it than the previous number.")
    received: Changes = figure("Pairs of a number, and how many more streams received it than the previous number.")

    @classmethod
    def of(cls, source: str, audit: FieldAudit) -> Self:
        """Return the evidence that the audit of a field holds."""
        return cls(
            source=source,
            trust=None if audit.trust is None else audit.trust.value,
            **{name: getattr(audit, name) for name in _COUNTS},
            spanned=sorted(audit.spanned.items()),
            received=sorted(audit.received.items()),
        )

    def audit(self) -> FieldAudit:
        """Return the audit of the field."""
        return FieldAudit(
            None if self.trust is None else Trust(self.trust),
            **{name: getattr(self, name) for name in _COUNTS},
            spanned=Counter(dict(self.spanned)),
            received=Counter(dict(self.received)),
        )


_COUNTS = tuple(each.name for each in fields(FieldAudit) if each.name not in ("trust", "spanned", "received"))


class Evidence(Part):
    """Data for merging reports, beyond the figures."""

    reads: int = figure("Reads with bytes of a response body.", ge=0)
    stamped_reads: int = figure("Reads with a kernel timestamp.", ge=0)
    duration_ns: int = figure("The duration of the run, not rounded.", unit="ns", ge=0)
    cpu_percent: list[float | None] = figure("CPU of each worker in percent of a core, not rounded.")
    date_differences: dict[int, int] = figure(
        "Differences between the Date header and this machine's clock in whole seconds, with the number of responses."
    )
    audits: list[FieldEvidence] = figure("The audits of the streams, by field.")
    host_read_delays: dict[str, Durations] = figure(
        "From the kernel timestamp until the read, by the name of the host.", default={}
    )
    replayed: int = figure("Events that were sent before the stream reconnected.", default=0, ge=0)
    recovery: RecoveryEvidence | None = figure(
        "Losses and returns of streams; null if they could not return.",
        absent="streams did not reconnect, and the run had no storm",
        default=None,
    )
