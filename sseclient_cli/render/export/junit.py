"""JUnit XML, which CI systems show: a test case for the run itself, and one for each assertion.

The elements and attributes are those of the schema of Apache Ant's JUnit task, which Jenkins and GitLab read.
"""

from __future__ import annotations

import re
from datetime import UTC
from xml.etree import ElementTree

from sseclient_cli.escaping import visible
from sseclient_cli.render.assertion_words import outcome_line
from sseclient_cli.render.verdict import verdict
from sseclient_cli.render.words import advice, sentence
from sseclient_cli.report.model import Report, Severity

CLASS_NAME = "sse.bench"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, section 2.2: other characters must not appear, not even escaped."""


def junit(report: Report) -> str:
    """Return the report as JUnit XML."""
    cases = [_of_the_run(report), *_of_assertions(report)]
    run = report.run
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        id="0",
        package="sse",
        name=_text(f"sse bench {run.target.url}"),
        timestamp=run.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
        tests=str(len(cases)),
        failures=str(sum(bool(problem) for _, problem in cases)),
        errors="0",
        time=f"{run.duration_s:.3f}",
    )
    ElementTree.SubElement(suite, "properties")
    for name, problem in cases:
        case = ElementTree.SubElement(suite, "testcase", name=_text(name), classname=CLASS_NAME, time="0")
        if problem:
            failure = ElementTree.SubElement(case, "failure", type="assertion", message=_text(problem.splitlines()[0]))
            failure.text = _text(problem)
    findings = (f"{finding.severity.value}: {sentence(finding)} {advice(finding)}" for finding in report.findings)
    said = verdict(report)
    ElementTree.SubElement(suite, "system-out").text = _text("\n".join([said.sentence, *findings]))
    ElementTree.SubElement(suite, "system-err")
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _of_the_run(report: Report) -> tuple[str, str]:
    """Return the test case of the run, and what is missing in it."""
    run, streams = report.run, report.streams
    problems = []
    if run.interrupted:
        problems.append(f"interrupted after {run.duration_s:g} s of {run.plan.duration_s:g} s")
    if run.incomplete:
        problems.append(f"{run.workers_lost} of {run.workers} workers were lost")
    if not streams.opened:
        problems.append(f"none of {streams.planned:,} streams opened")
        problems += _first_error(report)
    elif report.requests is not None and report.requests.failed and not report.requests.succeeded:
        problems.append(f"all of {report.requests.failed:,} requests failed")
        problems += _first_error(report)
    faults = [finding for finding in report.findings if finding.severity is Severity.FAULT]
    return "the run completed", "\n".join(problems + [sentence(fault) for fault in faults if problems])


def _first_error(report: Report) -> list[str]:
    return [f"{error.kind}: {error.example}" for error in report.errors[:1]]


def _of_assertions(report: Report) -> list[tuple[str, str]]:
    return [(each.expression, "" if each.passed else outcome_line(each)) for each in report.assertions]


def _text(text: str) -> str:
    return _NOT_IN_XML.sub(lambda found: visible(found[0], keep_lines=False) or "?", text)
