"""Reports as JSON and back, for tests that change one, and a schema that refuses undeclared fields."""

import json
from functools import cache
from typing import Any

import jsonschema

from sseclient_cli.client.preflight import Preflight
from sseclient_cli.measure.totals import Totals
from sseclient_cli.report.build import build_report
from sseclient_cli.report.findings import findings
from sseclient_cli.report.model import Report
from sseclient_cli.report.read import to_json
from sseclient_cli.report.reference import schema
from sseclient_cli.request.target import ResolvedTarget
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import RunSpec

ReportJson = dict[str, Any]


def json_of(report: Report) -> ReportJson:
    made: ReportJson = json.loads(to_json(report))
    return made


def report_of(fields: ReportJson) -> Report:
    """Return the report with these fields, and the findings that follow from them."""
    report = Report.model_validate(fields)
    return report.model_copy(update={"findings": findings(report)})


def closed_schema() -> ReportJson:
    """Return the schema without undeclared fields. The published schema allows new fields within a schema number."""
    return {
        **schema(),
        "additionalProperties": False,
        "$defs": {n: _closed(part) for n, part in schema()["$defs"].items()},
    }


@cache
def _validator() -> jsonschema.Draft202012Validator:
    """Make it once: the schema and its check, which is a test of its own, cost 0.5 s of CPU."""
    return jsonschema.Draft202012Validator(closed_schema())


def validate(document: ReportJson) -> None:
    """Fail if the document does not fit the schema, or has an undeclared field."""
    _validator().validate(document)


def _closed(part: ReportJson) -> ReportJson:
    return {**part, "additionalProperties": False} if "properties" in part else part


def built(
    plan: Plan,
    chain: tuple[ResolvedTarget, ...],
    totals: Totals,
    started_at_s: float = 0,
    preflight: Preflight | None = None,
) -> Report:
    """Return the report of a run along this redirect chain."""
    return build_report(RunSpec(target=chain[0].target, plan=plan), chain, totals, started_at_s, preflight)
