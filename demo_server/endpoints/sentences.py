"""What the language model of the demo says, and when: drawn from a seed, so that the same is said again.

Pure: no clock, no connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

SENTENCES = (
    "An event stream is a response that has not ended yet.",
    "Each event is a few lines of text, and an empty line sends it off.",
    "A comment now and then keeps the proxies on the way from hanging up.",
    "When the connection breaks, the browser comes back by itself and names the last event it has seen.",
    "The server may then go on where it was, if it remembers that long.",
    "Nothing here is more than HTTP, so every tool that speaks it can look inside.",
    "A language model says one token at a time, and so the words reach you while it still thinks.",
    "The time to the first token is what a reader feels; the rate afterwards only has to beat the eye.",
    "A client that reads too slowly will, sooner or later, be hung up on.",
    "What is measured at the receiver includes the wire, the kernel and the patience of the scheduler.",
    "If you want the mean, ask for the rate; if you want the truth, ask for the worst percentile.",
    "These words were chosen by a seed, and the same seed will choose them again.",
)


def words(seed: int) -> Iterator[str]:
    """Yield words without end."""
    # Apart from the jitter's, so that the same seed says the same at any pace; strings are seeds that no run changes.
    randomness = Random(f"words {seed}")
    sentence, space = "", ""
    while True:
        sentence = randomness.choice([other for other in SENTENCES if other != sentence])
        for word in sentence.split():
            yield space + word
            space = " "


def due_s(ttft_s: float, interval_s: float, jitter: float, seed: int) -> Iterator[float]:
    """Yield when each token is due, without end: late by a share of the interval, and so never out of order."""
    randomness = Random(f"jitter {seed}")
    yield ttft_s
    for number in count(1):
        yield ttft_s + (number + jitter * randomness.random()) * interval_s
