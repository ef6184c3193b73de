"""The token that ``sse bench`` puts into each event that it publishes, and how a worker finds it in a received event.

Pure. A token has the run, the number of the event and the time of its publication. It consists of letters, digits and
hyphens, which JSON, HTML and URLs leave unchanged, and its length is fixed, so that the size of a body is known before
the time is.
"""

from __future__ import annotations

from collections.abc import Iterator

NUMBER_DIGITS = 7
MAX_NUMBER = 10**NUMBER_DIGITS - 1

_TIME_DIGITS = 19
"""A time in ns since the start of the run. Until 2**63."""


def token_of(run_id: str, number: int, sent_ns: int) -> str:
    """Return the token of event ``number``, published at ``sent_ns`` after the start of the run."""
    return f"{_prefix(run_id)}{number:0{NUMBER_DIGITS}}-{sent_ns:0{_TIME_DIGITS}}"


def _prefix(run_id: str) -> str:
    return f"sse-{run_id}-"


class TokenReader:
    """Finds the tokens of one run."""

    __slots__ = ("_prefix",)

    def __init__(self, run_id: str) -> None:
        self._prefix = _prefix(run_id)

    def read(self, data: str) -> Iterator[tuple[int, int]]:
        """Yield the number and the time of publication of each token in the data of an event, once per number.

        A server may put several published events into one event, and repeat a part of one.
        """
        prefix = self._prefix
        place = data.find(prefix)
        seen: set[int] = set()
        while place >= 0:
            begin = place + len(prefix)
            middle = begin + NUMBER_DIGITS
            number, hyphen, sent = data[begin:middle], data[middle : middle + 1], data[middle + 1 :][:_TIME_DIGITS]
            place = data.find(prefix, begin)
            if hyphen != "-" or len(sent) != _TIME_DIGITS or not (number + sent).isdecimal():
                continue  # a part of a token: the server has cut the text
            if int(number) not in seen:
                seen.add(int(number))
                yield int(number), int(sent)
