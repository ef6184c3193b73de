"""The distribution of a whole run: an HdrHistogram with three significant digits, which merges and travels.

Pure. ``rounding.py`` has a cheaper form for one row of the timeline.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from io import BytesIO
from itertools import accumulate, compress
from math import ceil
from operator import mul

from hdrh.histogram import HdrHistogram

from sseclient_cli.measure.rounding import add_cut

HIGHEST_US = 24 * 3600 * 1_000_000
"""The range of the histograms is 1 us to one day. A larger value counts as one day; the maximum keeps its true size."""

SIGNIFICANT_DIGITS = 3

_SHAPE = (1, HIGHEST_US, SIGNIFICANT_DIGITS)

_HDR_BITS = 11
"""With three digits, the buckets hold integers up to 2,047 exactly, and the highest 11 bits of larger ones."""


class Histogram:
    """Durations in microseconds: an HdrHistogram with exact minimum, maximum and mean.

    A negative duration (two clocks differ) counts in ``negative``, the minimum and the mean, but in no bucket: zero
    would be wrong.
    """

    __slots__ = ("_buckets", "_unfiled", "count", "max_us", "min_us", "negative", "sum_us")

    def __init__(self) -> None:
        self._buckets: HdrHistogram | None = None
        self._unfiled: Counter[int] = Counter()
        """Values rounded to the buckets, which are not in them yet."""
        self.count = 0
        self.negative = 0
        self.sum_us = 0
        self.min_us = 0
        self.max_us = 0

    @property
    def _hdr(self) -> HdrHistogram:
        # Made at the first use: it has 230 KB, and half of the histograms of a run stay empty.
        if self._buckets is None:
            self._buckets = HdrHistogram(*_SHAPE)
        if self._unfiled:
            # Not at each tick: a call takes 1 us, and most values of a tick are also in the next ones.
            for value_us, times in self._unfiled.items():
                self._buckets.record_value(min(value_us, HIGHEST_US), times)
            self._unfiled.clear()
        return self._buckets

    def __reduce__(self) -> tuple[object, ...]:
        if not self.count:
            return Histogram, ()
        return Histogram.restored, (self.encoded(), self.count, self.negative, self.sum_us, self.min_us, self.max_us)

    def record(self, counts: Mapping[int, int]) -> None:
        """Add values in us with their counts."""
        if not counts:
            return
        self._extend(min(counts), max(counts))
        self.count += sum(counts.values())
        self.sum_us += sum(map(mul, counts.keys(), counts.values()))
        if min(counts) < 0:
            self.negative += sum(times for value_us, times in counts.items() if value_us < 0)
            counts = {value_us: times for value_us, times in counts.items() if value_us >= 0}
        add_cut(self._unfiled, counts, _HDR_BITS)

    def merge(self, other: Histogram) -> None:
        """Add another histogram's values."""
        if not other.count:
            return
        self._extend(other.min_us, other.max_us)
        self._hdr.add(other._hdr)
        self.count += other.count
        self.sum_us += other.sum_us
        self.negative += other.negative

    def _extend(self, low_us: int, high_us: int) -> None:
        self.min_us = min(self.min_us, low_us) if self.count else low_us
        self.max_us = max(self.max_us, high_us) if self.count else high_us

    def percentiles_us(self, wanted: Iterable[float]) -> dict[float, int | None]:
        """Return the value at each percentile (0-100); None if it is one of the negative values."""
        # Nearest rank. Rounded before ceil, because 99.9 % of 1,000 is slightly more than 999 in floating point.
        ranks = {each: ceil(round(each / 100 * self.count, 6)) - self.negative for each in wanted}
        counts = self._filled_buckets()
        filled = list(counts)
        at_most = list(accumulate(counts.values()))
        return {
            each: min(max(self._value_us(filled[bisect_left(at_most, rank)]), self.min_us), self.max_us)
            if rank > 0
            else None
            for each, rank in ranks.items()
        }

    def counts_us(self) -> dict[int, int]:
        """Return the values with their counts, in ascending order, without the negative ones.

        A value is the smallest one of its bucket: at most 0.1 % below the recorded values.
        """
        return {self._hdr.get_value_from_index(bucket): count for bucket, count in self._filled_buckets().items()}

    def percentile_distribution_ms(self) -> str:
        """Return the percentile distribution in ms, in the text format of HdrHistogram, without the negative values."""
        text = BytesIO()
        self._hdr.output_percentile_distribution(text, 1000)
        return text.getvalue().decode()

    def _filled_buckets(self) -> dict[int, int]:
        """Return the counts that are not zero, by their index."""
        # The library (0.10) asks each of 28,672 counts by a call, 10 ms for each of the histograms of a report. A slice
        # of the array takes 1 ms, and few of its counts are not zero.
        counts: list[int] = self._hdr.counts[:]
        return {bucket: counts[bucket] for bucket in compress(range(len(counts)), counts)}

    def _value_us(self, bucket: int) -> int:
        """Return the largest value of a bucket, by its index in the counts."""
        value_us: int = self._hdr.get_highest_equivalent_value(self._hdr.get_value_from_index(bucket))
        return value_us

    @classmethod
    def restored(cls, encoded: str, count: int, negative: int, sum_us: int, min_us: int, max_us: int) -> Histogram:
        """Return the histogram with this content: ``encoded``, and the exact figures."""
        made = cls()
        decoded = HdrHistogram.decode(encoded)
        if (decoded.lowest_trackable_value, decoded.highest_trackable_value, decoded.significant_figures) == _SHAPE:
            made._buckets = decoded
        else:
            made._hdr.add(decoded)
        made.count, made.negative, made.sum_us, made.min_us, made.max_us = count, negative, sum_us, min_us, max_us
        return made

    def encoded(self) -> str:
        """Return the HdrHistogram in its standard V2 encoding (base64, values in us)."""
        text: bytes = self._hdr.encode()
        return text.decode()
