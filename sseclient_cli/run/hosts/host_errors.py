"""Makes one error of those of several machines."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from sseclient_cli.errors import SseError

MOST_NAMES = 3
MOST_TEXTS = 3
"""A message is one line: the other machines and texts are counted."""


def on_hosts(errors: Mapping[str, SseError], hosts: int) -> SseError:
    """Return the errors of some of ``hosts`` machines, by the name of the machine, as one error like the first of them.

    A message that all machines have in common is said once.
    """
    by_text: dict[str, list[str]] = {}
    for name, error in errors.items():
        by_text.setdefault(str(error), []).append(name)
    first, *_ = errors.values()
    if len(by_text) == 1 and len(errors) == hosts > 1:
        text = f"on all {hosts:,} machines: {first}"
    else:
        texts = list(by_text.items())
        text = "; ".join(f"on {listed(names)}: {said}" for said, names in texts[:MOST_TEXTS])
        if others := sum(len(names) for _, names in texts[MOST_TEXTS:]):
            text += f"; {others:,} more machines have other errors"
    made = copy.copy(first)
    made.args = (text, *first.args[1:])
    return made


def listed(names: Sequence[str]) -> str:
    """Return the names, at most MOST_NAMES of them: ``a, b, c and 7 more``."""
    shown, more = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown
