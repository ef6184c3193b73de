"""The generated files match the catalogue of figures."""

import jsonschema
from report_json import closed_schema

from sseclient_cli.report.distributions import Latency
from sseclient_cli.report.figure import catalogue
from sseclient_cli.report.model import Report
from sseclient_cli.report.reference import DOCS_PATH, SCHEMA_PATH, docs_text, schema, schema_text

ENTRIES = {entry.path: entry for entry in catalogue(Report)}


def test_the_schema_is_that_of_the_models() -> None:
    assert SCHEMA_PATH.read_text("utf-8") == schema_text(), "run `make reference`"


def test_the_tables_in_the_docs_are_those_of_the_models() -> None:
    text = DOCS_PATH.read_text("utf-8")
    assert docs_text(text) == text, "run `make reference`"


def test_every_figure_is_explained_in_a_sentence() -> None:
    assert [path for path, entry in ENTRIES.items() if not (entry.doc[:1].isupper() and entry.doc.endswith("."))] == []


def test_the_unit_of_a_figure_is_that_of_its_name() -> None:
    units = {"_ms": "ms", "_s": "s", "_bytes": "bytes", "per_s": "1/s"}
    wrong = [
        path
        for path, entry in ENTRIES.items()
        for end, unit in units.items()
        if path.endswith(end) and (end == "per_s" or not path.endswith("per_s")) and entry.unit != unit
    ]
    assert wrong == []


def test_the_catalogue_knows_paths_units_and_which_way_is_better() -> None:
    entry = ENTRIES["latency.delivery.p99_ms"]
    assert (entry.model, entry.unit, entry.better, entry.label) == (Latency, "ms", "lower", "p99")
    assert ENTRIES["timeline[].events"].doc == "Events received."
    assert ENTRIES["schema"].doc == "The number of this schema."


def test_both_schemas_are_valid_and_the_published_one_is_open() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator.check_schema(closed_schema())
    assert "additionalProperties" not in schema()
    assert schema()["$defs"]["Streams"]["properties"]["opened"]["minimum"] == 0
