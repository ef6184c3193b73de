"""Makes a page of a template: inlines styles, scripts and the document, and escapes all else.

The policy of the page (CSP) lets only these styles and scripts run, and forbids each request.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from sseclient_cli.escaping import visible
from sseclient_cli.render.html.charts import Chart
from sseclient_cli.report.embedded import OPENING_TAG, packed
from sseclient_cli.report.figure import Part

_ASSETS = files("sseclient_cli.render.html") / "assets"
_STYLES = ("uplot/uPlot.min.css", "page.css")
_SCRIPTS = ("uplot/uPlot.iife.min.js", "page.js")

_JSON_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&'\u2028\u2029"}
"""`</script>` would end the script element, and `<!--` change how it is read, even within a JSON string."""


def made(template: str, document: Part, charts: Sequence[Chart], **context: Any) -> str:
    """Return the page of a document: the template with its context, the data of the charts, and the document itself."""
    styles, scripts = (_source(names) for names in (_STYLES, _SCRIPTS))
    return _environment().get_template(template).render(
        styles=styles,
        scripts=scripts,
        policy=_policy(styles, scripts),
        charts=_json([chart.data() for chart in charts]),
        document=packed(document.model_dump(mode="json", by_alias=True)),
        opening_tag=Markup(OPENING_TAG),
        **context,
    )  # fmt: skip


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        autoescape=True,
        loader=jinja2.FunctionLoader(lambda name: (_ASSETS / name).read_text("utf-8")),
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: Any) -> Any:
    """Show controls and bidi marks as their escapes. Jinja escapes the markup afterwards."""
    return visible(value, keep_lines=False) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _source(names: tuple[str, ...]) -> Markup:
    """Return our own files, which are trusted, and contain no tag that ends their element."""
    return Markup("\n".join((_ASSETS / name).read_text("utf-8").strip() for name in names))


def _policy(styles: str, scripts: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(styles)}'; script-src '{_hash(scripts)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(data: Any) -> Markup:
    return Markup(json.dumps(data, separators=(",", ":")).translate(_JSON_ESCAPES))
