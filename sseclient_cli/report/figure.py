"""Declare a figure of the report once: its meaning, its unit, and whether lower or higher is better.

The JSON Schema (``schema.json``), the tables of ``docs/reference/report.md`` and the column titles derive from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo


class Better(StrEnum):
    """Whether a lower or a higher figure is better."""

    LOWER = "lower"
    HIGHER = "higher"


class Part(BaseModel):
    """A part of the report, immutable. Unknown fields are ignored: later versions may add fields to a schema."""

    model_config = ConfigDict(frozen=True, extra="ignore")


_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "pattern": "pattern"}


def figure(
    doc: str,
    *,
    unit: str = "",
    better: Better | None = None,
    label: str = "",
    share_of: str = "",
    absent: str = "",
    default: Any = ...,
    alias: str | None = None,
    **limits: float | str,
) -> Any:
    """Declare a field, with its meaning in one line.

    ``share_of`` is the path of the figure that counts the whole, where this one counts a part. ``absent`` says why the
    field is null. ``limits`` (``ge``, ``gt``, ``le``, ``pattern``) go into the schema but are not enforced: one
    wrong figure must not cost the report of a long run.
    """
    said: JsonDict = {
        "unit": unit,
        "better": better and better.value,
        "label": label,
        "share_of": share_of,
        "absent": absent,
    }
    extra: JsonDict = {name: value for name, value in said.items() if value}
    extra |= {_LIMITS[name]: value for name, value in limits.items()}
    return Field(default, description=doc, alias=alias, json_schema_extra=extra)


def label_of(model: type[BaseModel], name: str) -> str:
    """Return the column title of a field."""
    return _said(model.model_fields[name], "label")


@dataclass(frozen=True, slots=True)
class Entry:
    """A field in the catalogue. In ``path``, ``[]`` stands for each item and ``{}`` for each name."""

    path: str
    model: type[BaseModel]
    """The model that declares it."""
    doc: str
    unit: str
    better: str
    label: str
    share_of: str
    absent: str
    is_number: bool
    """Whether the field holds one number, or null."""


_SAID = ("unit", "better", "label", "share_of", "absent")


def catalogue(model: type[BaseModel], prefix: str = "") -> Iterator[Entry]:
    """Yield each field of a model and of its parts, in declaration order."""
    for name, info in model.model_fields.items():
        path = f"{prefix}{info.alias or name}"
        kind: Any = info.annotation
        kinds = set(get_args(kind)) if isinstance(kind, UnionType) else {kind}
        said = {key: _said(info, key) for key in _SAID}
        is_number = kinds - {type(None)} in ({int}, {float})
        yield Entry(path, model, info.description or "", is_number=is_number, **said)
        part, suffix = _part_of(info)
        if part is not None:
            yield from catalogue(part, f"{path}{suffix}.")


def _said(info: FieldInfo, key: str) -> str:
    extra = info.json_schema_extra
    return str(extra.get(key, "")) if isinstance(extra, dict) else ""


def _part_of(info: FieldInfo) -> tuple[type[BaseModel] | None, str]:
    """Return the model that a field holds, and the suffix of its path if the field holds several."""
    todo: list[tuple[Any, str]] = [(info.annotation, "")]
    while todo:
        kind, suffix = todo.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, suffix
        origin = getattr(kind, "__origin__", None)
        suffix += {"list": "[]", "tuple": "[]", "dict": "{}"}.get(getattr(origin, "__name__", ""), "")
        todo += [(each, suffix) for each in get_args(kind)]
    return None, ""
