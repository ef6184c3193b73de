"""Placeholders in the text of a request, such as ``{n}``, ``{uuid}`` or ``{token}``. Pure.

``{{n}}`` is the text ``{n}``. Braces around anything but a name, as in JSON, are text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Self
from urllib.parse import quote

from sseclient_cli.request.headers import is_json

NAME = r"[A-Za-z_][\w.-]*"
RANDOM = re.compile(r"random:(\d{1,18})-(\d{1,18})")
"""A random whole number, both limits included."""

_TEXT = f"{NAME}|{RANDOM.pattern}"
# httpx (0.28) writes the braces of a path as %7B and %7D, and leaves those of a query.
_PLACEHOLDERS = {
    is_url: re.compile(rf"{begin}{begin}(?P<text>{_TEXT}){end}{end}|{begin}(?P<name>{_TEXT}){end}")
    for is_url, begin, end in ((False, r"\{", r"\}"), (True, r"(?:\{|%7[Bb])", r"(?:\}|%7[Dd])"))
}


def _always(_: str) -> bool:
    return True


class Escape(Enum):
    """How a value is written into its place, so that it cannot change what surrounds it."""

    NONE = "none"
    URL = "url"
    """Percent-encoded, with its slashes."""
    JSON = "json"
    """As the content of a JSON string."""

    def apply(self, value: str) -> str:
        """Return the value as it is written."""
        if self is Escape.URL:
            return quote(value, safe="", errors="surrogateescape")
        return json.dumps(value)[1:-1] if self is Escape.JSON else value


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name to replace."""

    name: str
    escape: Escape = Escape.NONE


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders: the texts around them, one more than placeholders."""

    texts: tuple[str, ...]
    placeholders: tuple[Placeholder, ...]

    @classmethod
    def of(cls, text: str, escape: Escape = Escape.NONE, is_known: Callable[[str], bool] = _always) -> Self:
        """Parse a text; unknown names are text. With ``Escape.URL``, braces may be percent-encoded."""
        texts, placeholders, begin = [""], [], 0
        for match in _PLACEHOLDERS[escape is Escape.URL].finditer(text):
            if match["name"] and not is_known(match["name"]):
                continue
            texts[-1] += text[begin : match.start()]
            begin = match.end()
            if match["text"]:
                texts[-1] += f"{{{match['text']}}}"
            else:
                placeholders.append(Placeholder(match["name"], escape))
                texts.append("")
        texts[-1] += text[begin:]
        return cls(tuple(texts), tuple(placeholders))

    @classmethod
    def of_body(cls, body: str, is_known: Callable[[str], bool] = _always) -> Self:
        """Parse a request body. In a string of a JSON body, values are written as the content of a JSON string."""
        plain = cls.of(body, is_known=is_known)
        if not plain.is_json:
            return plain
        placeholders = [
            replace(each, escape=Escape.JSON) if is_inside else each
            for each, is_inside in zip(plain.placeholders, _are_inside_strings(plain.texts), strict=False)
        ]
        return cls(plain.texts, tuple(placeholders))

    @property
    def names(self) -> set[str]:
        """The names of the placeholders."""
        return {each.name for each in self.placeholders}

    @property
    def is_json(self) -> bool:
        """Whether the text is JSON with a number in each place."""
        return is_json(self.expanded(lambda _: "0"))

    @property
    def shown(self) -> str:
        """The text with its placeholders, for people."""
        return self._joined([f"{{{each.name}}}" for each in self.placeholders])

    def expanded(self, value_of: Callable[[str], str]) -> str:
        """Return the text with the value of each placeholder."""
        return self._joined([each.escape.apply(value_of(each.name)) for each in self.placeholders])

    def _joined(self, values: list[str]) -> str:
        return "".join(part for pair in zip(self.texts, [*values, ""], strict=True) for part in pair)


def _are_inside_strings(texts: tuple[str, ...]) -> Iterator[bool]:
    """Yield for each text of a JSON document whether its end is inside a string."""
    is_inside = False
    for text in texts:
        # A backslash hides the character after it. A placeholder never follows one: `\{` is no JSON.
        is_inside ^= re.sub(r"\\.", "", text).count('"') % 2 == 1
        yield is_inside
