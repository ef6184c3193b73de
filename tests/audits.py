"""The result of a run's audit, for tests of the engine."""

from sseclient_cli.measure.audit_totals import Audit, judge
from sseclient_cli.measure.totals import Totals


def audit_of(totals: Totals) -> Audit:
    """Return the audit of a run. Fail if there is none."""
    audit, candidates = judge(totals.audits)
    assert audit is not None, candidates
    return audit
