r"""The lines of a recording: one JSON object per line, first a header, then one record for all that arrived.

Pure: records in, lines out, and back. A record's fields are declared once, in its dataclass, and are the keys of its
line; a field with its default value is left out. An event's data is recorded unchanged, so it may hold secrets; URLs
and headers are redacted before they get here.

``arrived_ns`` is wall-clock time. ``elapsed_ns`` is the time since the start of the recording on a monotonic clock:
gaps between records come from it, so that a step of the wall clock does not change them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from types import UnionType
from typing import Any, ClassVar, Final, NamedTuple, NoReturn, TypeVar, get_args, get_origin, get_type_hints

FORMAT_VERSION: Final = 1
"""A reader skips kinds and fields that it does not know. A new version is only for lines that mislead such a reader."""

MAX_NS = 1 << 62
"""Larger times do not fit into 8 bytes."""

_LINE_END = re.compile(r"[\r\n\0]")
_T = TypeVar("_T", bound="Header | Record")


class DamagedLineError(ValueError):
    """A line is not a record; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line. ``recording`` is the version of the format, ``streams`` are the URLs, without credentials."""

    recording: int
    streams: list[str]
    started_ns: int
    written_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What all records have: the arrival, and the number of the stream, from 0, in a recording of several."""

    KIND: ClassVar[str]

    stream: int = 0
    arrived_ns: int
    elapsed_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Record):
    """The head of a stream's response arrived. Credentials in ``headers`` are redacted.

    ``format`` is how the body was divided into events: a value of StreamFormat.
    """

    KIND = "open"

    status: int
    headers: dict[str, str]
    format: str = "sse"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent(Record):
    """An event arrived. ``id`` is the stream's last event ID at that time, as in a browser."""

    KIND = "event"

    type: str = "message"
    id: str = ""
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedComment(Record):
    """A comment arrived: the text after the colon."""

    KIND = "comment"

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRetry(Record):
    """The stream set its reconnection time."""

    KIND = "retry"

    retry_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Record):
    """A connection or an attempt to connect ended. ``reconnect_after_s`` is the wait after it, if one follows."""

    KIND = "end"

    reason: str
    reconnect_after_s: float | None = None


KINDS: Final[Mapping[str, type[Record]]] = {
    each.KIND: each for each in (Opened, RecordedEvent, RecordedComment, RecordedRetry, Ended)
}


def encode(line: Header | Record) -> bytes:
    """Return the line, with its line feed."""
    shown = {"kind": line.KIND} if isinstance(line, Record) else {}
    for name, _, default, _ in _FIELDS[type(line)]:
        value = getattr(line, name)
        if value != default:
            shown[name] = value
    # A lone surrogate cannot be UTF-8; `backslashreplace` writes it as JSON's own escape.
    return _ENCODER.encode(shown).encode("utf-8", "backslashreplace") + b"\n"


def decode_header(line: bytes) -> Header:
    """Raise DamagedLineError unless the line is a header of this version."""
    header = _built(Header, _object(line))
    if header.recording > FORMAT_VERSION:
        raise DamagedLineError(f"its format {header.recording} is newer than this program: update sseclient-cli")
    return header


def decode(line: bytes) -> Record:
    """Raise DamagedLineError unless the line is a record."""
    values = _object(line)
    kind = values.get("kind")
    if kind is None:
        raise DamagedLineError("a second header" if "recording" in values else "it has no kind")
    record_type = KINDS.get(kind) if isinstance(kind, str) else None
    if record_type is None:
        raise DamagedLineError(f"unknown kind {str(kind)[:40]!r}")
    return _built(record_type, values)


def _object(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise DamagedLineError("it is incomplete")
    try:
        values = _DECODER.decode(line.decode())
    except UnicodeDecodeError as exc:
        raise DamagedLineError("it is not UTF-8 text") from exc
    except (ValueError, RecursionError) as exc:
        raise DamagedLineError("it is not JSON") from exc
    if not isinstance(values, dict):
        raise DamagedLineError("it is not a JSON object")
    return values


def _built(record_type: type[_T], values: dict[str, Any]) -> _T:
    known = {}
    for name, types, default, problem_of in _FIELDS[record_type]:
        value = values.get(name, default)
        if value is MISSING:
            raise DamagedLineError(f"it has no {name}")
        if value is not default:
            problem = problem_of(value) if type(value) in types else "the wrong type"
            if problem:
                raise DamagedLineError(f"{name} has {problem}")
        known[name] = value
    return record_type(**known)


def _number_problem(value: float) -> str:
    return "" if 0 <= value < MAX_NS else "a value out of range"


def _word_problem(value: str) -> str:
    return "a line end or a NUL" if _LINE_END.search(value) else ""


def _texts_problem(value: dict[str, Any] | list[Any]) -> str:
    texts = value.values() if isinstance(value, dict) else value
    return "" if all(isinstance(each, str) for each in texts) else "the wrong type"


def _no_problem(_: object) -> str:
    return ""


_PROBLEMS: Final[Mapping[type, Callable[[Any], str]]] = {
    int: _number_problem, float: _number_problem, dict: _texts_problem, list: _texts_problem,
}  # fmt: skip


class _Field(NamedTuple):
    """One field of a line: its name, the accepted types, the default, and a function that returns its problem."""

    name: str
    types: tuple[type, ...]
    default: Any
    problem_of: Callable[[Any], str]


def _field(name: str, hint: Any, default: Any) -> _Field:
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    types = tuple(get_origin(each) or each for each in options)
    problem_of = _word_problem if name in ("type", "id") else _PROBLEMS.get(types[0], _no_problem)
    # JSON writes 3.0 also as 3.
    return _Field(name, (*types, int) if float in types else types, default, problem_of)


_LINE_TYPES: Final[tuple[type[Header | Record], ...]] = (Header, *KINDS.values())

_FIELDS: Final[Mapping[type, tuple[_Field, ...]]] = {
    each: tuple(_field(one.name, get_type_hints(each)[one.name], one.default) for one in fields(each))
    for each in _LINE_TYPES
}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Made once: `json.dumps` and `json.loads` with options would make them for each line.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
