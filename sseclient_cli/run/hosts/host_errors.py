"""Makes one error of those of several machines."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import TypeVar

from sseclient_cli.errors import ClusterError, SseError

T = TypeVar("T")

MOST_NAMES = 3
MOST_TEXTS = 3
"""A message is one line: the other machines and texts are counted."""


async def answers_of(calls: Iterable[tuple[str, Awaitable[T]]]) -> list[T]:
    """Wait for calls, each with the name of its machine, and return the answers. Raises SseError."""
    names, awaited = zip(*calls, strict=True)
    answers = await asyncio.gather(*awaited, return_exceptions=True)
    errors = {name: _error(each) for name, each in zip(names, answers, strict=True) if isinstance(each, BaseException)}
    if errors:
        raise on_hosts(errors, len(set(names)))
    return [each for each in answers if not isinstance(each, BaseException)]


def _error(raised: BaseException) -> SseError:
    if isinstance(raised, SseError):
        return raised
    if isinstance(raised, OSError):
        return ClusterError(f"the machine does not answer: {str(raised) or type(raised).__name__}")
    return ClusterError(f"the agent failed: {raised!r}")


def on_hosts(errors: Mapping[str, SseError], hosts: int) -> SseError:
    """Return the errors of some of ``hosts`` machines, by the name of the machine, as one error like the first of them.

    A message that all machines have in common is said once. Notes are part of the message, because each belongs to a
    machine; the arguments are those of all errors, because the message names them.
    """
    by_text: dict[str, list[str]] = {}
    for name, error in errors.items():
        text = "; ".join([str(error), *getattr(error, "__notes__", ())])
        by_text.setdefault(text, []).append(name)
    texts = list(by_text.items())
    if len(texts) == 1 and len(errors) == hosts > 1:
        message = f"on all {hosts:,} machines: {texts[0][0]}"
    else:
        message = "; ".join(f"on {listed(names)}: {said}" for said, names in texts[:MOST_TEXTS])
        if others := sum(len(names) for _, names in texts[MOST_TEXTS:]):
            message += f"; {others:,} more machines have other errors"
    first, *_ = errors.values()
    made = copy.copy(first)
    # Dask's tblib (3.2) lets a copy share the attributes of its exception.
    made.__dict__ = {**vars(first), "__notes__": []}
    made.args = (message, *first.args[1:])
    made.arguments = tuple(dict.fromkeys(argument for error in errors.values() for argument in error.arguments))
    return made


def listed(names: Sequence[str]) -> str:
    """Return the names, at most MOST_NAMES of them: ``a, b, c and 7 more``."""
    shown, more = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown
