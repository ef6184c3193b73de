"""The HTML page of a run."""

from __future__ import annotations

from sseclient_cli.render.html import facts, run_charts, sections
from sseclient_cli.render.html.bad_clients import bad_clients
from sseclient_cli.render.html.charts import Chart, Mark
from sseclient_cli.render.html.document import made
from sseclient_cli.render.html.fanout import fanout_section
from sseclient_cli.render.html.recovery import outages
from sseclient_cli.render.html.requests import request_tiles, requests_section
from sseclient_cli.render.html.target_charts import target_charts
from sseclient_cli.report.model import Report


def page(report: Report) -> str:
    """Return the page: one file, without requests to any other, that holds the report too."""
    curve = run_charts.percentile_curve(report)
    fanout = fanout_section(report)
    groups = {
        "fanout": fanout.charts if fanout else [],
        "curves": [curve] if curve else [],
        "delivery": [*run_charts.delivery_over_time(report), *run_charts.throughput(report)],
        "streams": run_charts.streams_over_time(report),
        "generator": run_charts.generator_over_time(report),
        "target": _target(report),
    }
    described = outages(report.recovery)
    return made(
        "report.html.jinja",
        report,
        [chart for charts in (*groups.values(), *(outage.charts for outage in described)) for chart in charts],
        groups=groups,
        report=report,
        started_at=report.run.started_at.strftime("%Y-%m-%d %H:%M:%S %Z"),
        shown_url=sections.cut(report.run.target.url),
        verdict=sections.verdict_statement(report),
        assertions=sections.assertions(report),
        tiles=list(sections.tiles(report) if report.requests is None else request_tiles(report, report.requests)),
        findings=sections.statements(report),
        latencies=sections.latency_table(report),
        errors=sections.error_statements(report),
        types=sections.event_types(report),
        delays=sections.generator_table(report),
        hosts=sections.hosts_table(report),
        requests=requests_section(report),
        fanout=fanout,
        outages=described,
        bad=list(bad_clients(report)),
        streams=facts.streams(report),
        events=list(facts.events(report)),
        audit=facts.audit(report),
        plan=list(facts.plan(report)),
        target=list(facts.target(report)),
        machine=list(facts.machine(report)),
        generator=list(facts.generator(report)),
        target_metrics=list(facts.target_metrics(report.target_metrics)) if report.target_metrics else [],
    )


def _target(report: Report) -> list[Chart]:
    """Return the charts of the target's own metrics, which are sampled after the end of the run, too."""
    if report.target_metrics is None:
        return []
    return target_charts(report.target_metrics, [*run_charts.marks(report), Mark(report.run.duration_s, "end")])
