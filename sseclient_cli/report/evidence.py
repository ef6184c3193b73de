"""What the audits of many streams found by a field, in a form that merges: see ``measure/audit_totals.py``."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Self

from sseclient_cli.measure.audit_totals import FieldAudit
from sseclient_cli.measure.field_search import Trust
from sseclient_cli.report.figure import Part, figure

Changes = list[tuple[int, int]]
"""At a number, by how much a count changes."""


class FieldEvidence(Part):
    """The checks of one field. All counts but ``refuting`` are of the streams that do not refute it."""

    source: str = figure("The field.")
    trust: int | None = figure("How far it is trusted to be a sequence, 0 to 2; null if the user named it.")
    streams: int = figure("Streams that have it.", ge=0)
    refuting: int = figure("Streams whose numbers say that it is no sequence there.", ge=0)
    renumbered: int = figure("Streams on which a new numbering began.", ge=0)
    by_type: int = figure("Streams whose events are numbered by type.", ge=0)
    checked: int = figure("Events that were checked.", ge=0)
    carried: int = figure("Events with the id of the event before.", ge=0)
    duplicated: int = figure("Events that came again.", ge=0)
    out_of_order: int = figure("Events that came after a larger number.", ge=0)
    unlocated: int = figure("Missing numbers of which it is not known whether another stream received them.", ge=0)
    spanned: Changes = figure("At a number, how many more streams span it than the number before.")
    received: Changes = figure("At a number, how many more streams received it than the number before.")

    @classmethod
    def of(cls, source: str, audit: FieldAudit) -> Self:
        """Return what the audit of a field holds."""
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
