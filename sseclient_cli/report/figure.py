"""How a figure of the report is declared: once, with what it means, its unit, and which way is better.

The JSON Schema (``schema.json``), the tables of ``docs/reference/report.md`` and the titles of columns derive from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo


class Better(StrEnum):
    """Which way a figure is better, where that can be said."""

    LOWER = "lower"
    HIGHER = "higher"


class Part(BaseModel):
    """A part of the report: a value. Unknown fields are ignored: later versions may add some within a schema number."""

    model_config = ConfigDict(frozen=True, extra="ignore")


_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "pattern": "pattern"}


def figure(
    doc: str,
    *,
    unit: str = "",
    better: Better | None = None,
    label: str = "",
    default: Any = ...,
    alias: str | None = None,
    **limits: float | str,
) -> Any:
    """Declare a field with one line of what it means.

    ``limits`` (``ge``, ``gt``, ``le``, ``pattern``) are written into the schema and not enforced: a run of hours must
    not end without a report because one figure is wrong.
    """
    said: JsonDict = {"unit": unit, "better": better and better.value, "label": label}
    extra: JsonDict = {name: value for name, value in said.items() if value}
    extra |= {_LIMITS[name]: value for name, value in limits.items()}
    return Field(default, description=doc, alias=alias, json_schema_extra=extra)


def label_of(model: type[BaseModel], name: str) -> str:
    """Return the title of a column for a field."""
    return _said(model.model_fields[name], "label")


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of the report in the catalogue. ``[]`` in a path stands for each item, ``{}`` for each name."""

    path: str
    model: type[BaseModel]
    """What declares it."""
    doc: str
    unit: str
    better: str
    label: str


def catalogue(model: type[BaseModel], prefix: str = "") -> Iterator[Entry]:
    """Yield each field of a model and of its parts, in the order of their declaration."""
    for name, info in model.model_fields.items():
        path = f"{prefix}{info.alias or name}"
        said = (_said(info, key) for key in ("unit", "better", "label"))
        yield Entry(path, model, info.description or "", *said)
        part, suffix = _part_of(info)
        if part is not None:
            yield from catalogue(part, f"{path}{suffix}.")


def _said(info: FieldInfo, key: str) -> str:
    extra = info.json_schema_extra
    return str(extra.get(key, "")) if isinstance(extra, dict) else ""


def _part_of(info: FieldInfo) -> tuple[type[BaseModel] | None, str]:
    """Return the model that a field holds, and what stands for an item where it holds several."""
    todo: list[tuple[Any, str]] = [(info.annotation, "")]
    while todo:
        kind, suffix = todo.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, suffix
        origin = getattr(kind, "__origin__", None)
        suffix += {"list": "[]", "tuple": "[]", "dict": "{}"}.get(getattr(origin, "__name__", ""), "")
        todo += [(each, suffix) for each in get_args(kind)]
    return None, ""
