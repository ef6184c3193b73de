"""The words of the demo's language model and their due times. Both depend only on a seed.

Pure: no clock, no connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

SENTENCES = (
    "An event stream is a response that has not ended yet.",
    "Each event is a few lines of text, and an empty line sends it off.",
    "A comment now and then keeps proxies from closing the connection.",
    "When the connection breaks, the browser reconnects by itself and sends the id of the last event.",
    "The server can then continue after this event, if it still has the next one.",
    "All of this is plain HTTP, so every HTTP tool can read it.",
    "A language model produces one token at a time, so the first words arrive before the last ones exist.",
    "Readers notice the time to the first token; the rate after it only has to be faster than reading.",
    "A server disconnects a client that reads too slowly.",
    "A latency at the receiver includes the network, the kernel and the scheduler.",
    "A mean hides the slowest events, and a high percentile shows them.",
    "A seed has chosen these words, and the same seed will choose them again.",
)


def words(seed: int | str) -> Iterator[str]:
    """Yield words without end."""
    # A generator of its own: the words must not depend on the pace. A string as seed gives the same words in every run.
    randomness = Random(f"words {seed}")
    sentence, space = "", ""
    while True:
        sentence = randomness.choice([other for other in SENTENCES if other != sentence])
        for word in sentence.split():
            yield space + word
            space = " "


def due_s(ttft_s: float, interval_s: float, jitter: float, seed: int) -> Iterator[float]:
    """Yield the due time of each token, without end. Delays are at most one interval, so tokens stay in order."""
    randomness = Random(f"jitter {seed}")
    yield ttft_s
    for number in count(1):
        yield ttft_s + (number + jitter * randomness.random()) * interval_s
