"""What differs between the requests of the streams of a run: URLs in turn, and values in placeholders. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any
from uuid import UUID

from sseclient_cli.errors import UsageError
from sseclient_cli.redaction import redacted_url
from sseclient_cli.request.headers import checked_value
from sseclient_cli.request.llm_body import LlmBodies
from sseclient_cli.request.placeholders import RANDOM, Escape, Template
from sseclient_cli.request.prompts import Conversation
from sseclient_cli.request.prompts_file import PROMPT_COLUMNS
from sseclient_cli.request.stream_requests import PerStream
from sseclient_cli.request.target import Target
from sseclient_cli.request.urls_file import WeightedUrl, turns_of
from sseclient_cli.request.values_file import Columns

_RANDOM_LIKE = re.compile(r"(?:\{|%7B)(random:[^{}%]*)(?:\}|%7D)", re.IGNORECASE)

BUILT_IN = ("n", "worker", "uuid")
"""The number of the stream from 0, the number of its worker from 0, and a random UUID (RFC 9562, version 4)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Requests(PerStream):
    """The templates of the requests. Stream n takes row n of the columns, in turn."""

    urls: tuple[Template, ...]
    weights: tuple[int, ...]
    headers: tuple[tuple[str, Template], ...]
    body: Template | None
    messages: tuple[Template, ...]
    columns: Columns
    llm: LlmBodies | None = None
    """Makes the bodies, which ``body`` then has not."""
    values_file: str | None = None
    urls_file: str | None = None

    @cached_property
    def _turns(self) -> tuple[int, ...]:
        return turns_of(self.weights)

    @cached_property
    def _rows(self) -> int:
        return max((len(values) for values in self.columns.values()), default=1)

    def target_of(
        self, template: Target, stream: int, worker: int, slot: int, conversation: Conversation | None = None
    ) -> Target:
        """Return the request of a stream. ``{uuid}`` and ``{random:...}`` are the same everywhere in one request."""
        if conversation is None and self.llm is not None:
            conversation = self.llm.conversation(stream)
        row = stream if conversation is None else conversation.number
        drawn: dict[str, str] = {}

        def value_of(name: str) -> str:
            if name not in drawn:
                column = self.columns.get(name)
                drawn[name] = _built_in(name, stream, worker) if column is None else column[row % self._rows] or ""
            return drawn[name]

        place = self.url_of(stream)
        varied = {
            "url": self.urls[place].expanded(value_of),
            "headers": tuple((name, header.expanded(value_of)) for name, header in self.headers),
            "body": self._body(conversation, value_of),
            "messages": tuple(message.expanded(value_of) for message in self.messages),
        }
        own = [value for name, value in drawn.items() if name in self.columns]
        own += () if self.llm is None or conversation is None else self.llm.own_texts(conversation.number)
        return _varied(template, **varied, per_stream=None, shown_url=self.shown_urls[place], own_values=tuple(own))

    def _body(self, conversation: Conversation | None, value_of: Callable[[str], str]) -> bytes | None:
        if self.llm is not None and conversation is not None:
            return self.llm.body(conversation)
        return None if self.body is None else self.body.expanded(value_of).encode("utf-8", "surrogateescape")

    def reseeded(self, seed: str) -> Requests:
        """Return the same requests with other random words in the prompts for an LLM."""
        return replace(self, llm=None if self.llm is None else self.llm.reseeded(seed))

    def preflight_of(self, template: Target) -> Target:
        """Return the request of the preflight: the first one, but with a prompt that the server's cache may know."""
        return self.target_of(template, 0, 0, 0, None if self.llm is None else self.llm.conversation(-1))

    def url_of(self, stream: int) -> int:
        """Return the number of the URL of a stream, both numbered from 0."""
        return self._turns[stream % len(self._turns)]

    @cached_property
    def shown_urls(self) -> tuple[str, ...]:
        """The URLs with their placeholders, without credentials."""
        return tuple(_shown(url) for url in self.urls)

    def other_origins(self, template: Target) -> list[Target]:
        """Return a target at each origin besides that of the template."""
        targets = [replace(template, url=url.expanded(lambda _: "0"), per_stream=None) for url in self.urls]
        by_origin = {target.origin: target for target in targets}
        return [target for origin, target in by_origin.items() if origin != template.origin]


def _varied(template: Target, **fields: Any) -> Target:
    """Return a target with other fields. A run does it for each request, and parsing a URL is a third of the work."""
    made = replace(template, **fields)
    if made.url == template.url:
        made.__dict__["parsed_url"] = template.parsed_url
    return made


def with_values(
    targets: Sequence[Target],
    urls: Sequence[WeightedUrl],
    columns: Columns | None = None,
    *,
    values_file: str | None = None,
    urls_file: str | None = None,
    llm: LlmBodies | None = None,
) -> Target:
    """Return the target of a run whose streams share these targets, which differ in their URL, by weight.

    A target without placeholders, alone, is returned as it is. Raises UsageError for a name without a value, and for
    values without a place; the prompts of ``llm`` may come from columns too.
    """
    first = targets[0]
    if any(replace(each, url=first.url) != first for each in targets):
        raise UsageError("the URLs differ in their user and password: give these as a header", arguments=["urls"])
    requests = _requests(targets, columns or {}, has_columns=columns is not None)
    used = _used(requests)
    if hidden := sorted(used & {*BUILT_IN} & (columns or {}).keys()):
        raise UsageError(
            f"{{{hidden[0]}}} is a built-in placeholder, and a column of {values_file}: rename the column",
            arguments=["values"],
        )
    if columns and not used & columns.keys() and (llm is None or columns.keys().isdisjoint(PROMPT_COLUMNS)):
        raise UsageError(
            f"nothing uses the values of {values_file}: write {{{next(iter(columns))}}} in the URL, a header or the "
            f"body (columns: {', '.join(columns)})",
            arguments=["values"],
        )
    if not used and urls_file is None and llm is None:
        return first
    requests = replace(
        requests,
        columns={name: values for name, values in (columns or {}).items() if name in used},
        weights=tuple(each.weight for each in urls),
        llm=llm,
        values_file=values_file,
        urls_file=urls_file,
    )
    turns_of(requests.weights)  # raise now, not in a worker
    _check_values(requests)
    headers, body = first.headers, requests.body
    if body is not None and body.is_json and not any(name.lower() == "content-type" for name, _ in headers):
        name, value = "Content-Type", "application/json"
        headers = (*headers, (name, value))
        requests = replace(requests, headers=(*requests.headers, (name, Template((value,), ()))))
    return replace(first, headers=headers, per_stream=requests, shown_url=_shown(requests.urls[0]))


def _requests(targets: Sequence[Target], columns: Columns, *, has_columns: bool) -> Requests:
    def is_known(name: str) -> bool:
        return name in BUILT_IN or name in columns or RANDOM.fullmatch(name) is not None

    def checked(template: Template, where: str) -> None:
        if (wrong := _RANDOM_LIKE.search("".join(template.texts))) is not None:
            raise UsageError(f"{{{wrong[1]}}} needs two whole numbers: write it like {{random:1-1000}}")
        for name in sorted(template.names):
            if not is_known(name):
                raise _unknown(name, where, columns)
            limits = RANDOM.fullmatch(name)
            if limits is not None and int(limits[1]) > int(limits[2]):
                raise UsageError(
                    f"{{{name}}}: the lower limit must come first: write {{random:{limits[2]}-{limits[1]}}}"
                )

    for target in targets:
        checked(Template.of(target.url, Escape.URL), "the URL")  # a URL has no braces of its own
    known: Callable[[str], bool] = (lambda _: True) if has_columns else is_known
    headers = tuple((name, Template.of(value, is_known=known)) for name, value in targets[0].headers)
    text = None if targets[0].body is None else targets[0].body.decode("utf-8", "surrogateescape")
    body = None if text is None else Template.of_body(text, known)
    messages = tuple(Template.of_body(text, known) for text in targets[0].messages)
    places = [(header, f"header {name}") for name, header in headers] + [(each, "a message") for each in messages]
    for template, where in places if body is None else [*places, (body, "the body")]:
        checked(template, where)
    urls = tuple(Template.of(target.url, Escape.URL) for target in targets)
    return Requests(urls=urls, weights=(), headers=headers, body=body, messages=messages, columns=columns)


def _unknown(name: str, where: str, columns: Columns) -> UsageError:
    if not columns:
        return UsageError(
            f"{{{name}}} in {where} has no value: give a file with a column of this name, or write {{{{{name}}}}} for "
            "the text itself",
            arguments=["values"],
        )
    near = get_close_matches(name, [*columns, *BUILT_IN], n=1)
    hint = f"did you mean {{{near[0]}}}?" if near else f"the columns are {', '.join(columns)}"
    return UsageError(f"{{{name}}} in {where} is not a column of the values: {hint}", arguments=["values"])


def _used(requests: Requests) -> set[str]:
    templates = [*requests.urls, *(header for _, header in requests.headers), *requests.messages]
    return set().union(*(each.names for each in templates), requests.body.names if requests.body else ())


def _check_values(requests: Requests) -> None:
    """Raise UsageError for a missing value, or one that cannot be in a header."""
    in_headers = set().union(*(header.names for _, header in requests.headers))
    for name, values in requests.columns.items():
        for number, value in enumerate(values, 1):
            where = f"{requests.values_file}, row {number}"
            if value is None:
                raise UsageError(f"{where} has no value for {name}", arguments=["values"])
            if name in in_headers:
                checked_value(value, f"{where}: {name}", "values")
                if value.strip(" \t") != value:
                    raise UsageError(
                        f"{where}: {name} has a space at its start or end: remove it", arguments=["values"]
                    )


def _built_in(name: str, stream: int, worker: int) -> str:
    limits = RANDOM.fullmatch(name)
    if limits is not None:
        return str(random.randint(int(limits[1]), int(limits[2])))
    if name == "uuid":
        return str(UUID(int=random.getrandbits(128), version=4))
    return str(stream if name == "n" else worker)


def _shown(url: Template) -> str:
    return redacted_url(url.shown)
