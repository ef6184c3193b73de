"""Samples of a Prometheus endpoint: the wanted series of one response, by the parser of prometheus-client.

Only the lines of wanted series are parsed: the parser is plain Python, and an endpoint may have 10,000 lines, while
this process may also be the worker of the run.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import httpx

from sseclient_cli.errors import UsageError
from sseclient_cli.redaction import redacted_text, redacted_url
from sseclient_cli.target_metrics.samples import DEFAULT_SERIES, Reading, SampleError, SourceKind

if TYPE_CHECKING:
    import ssl

    from prometheus_client.metrics_core import Metric

    Parser = Callable[[str], Iterable[Metric]]

TIMEOUT_S = 2.0
"""The time limit of a scrape. A target under load answers late."""

MAX_BYTES = 16 * 1024**2

MAX_REASON = 200
"""The parser's message may hold a whole line."""

MAX_SERIES = 50
"""Series that are read from one endpoint: a name without labels may select thousands."""

_ACCEPT = "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5"
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Selector:
    """The name of a series, with labels that it must have."""

    name: str
    labels: frozenset[tuple[str, str]] = frozenset()

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether a sample with this name and these labels is selected."""
        return name == self.name and self.labels <= labels.items()


def require_parser() -> tuple[Parser, Parser]:
    """Return the parsers of the text format and of OpenMetrics. Raises UsageError if prometheus-client is missing."""
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
        from prometheus_client.parser import text_string_to_metric_families as text
    except ImportError:
        raise UsageError(
            "prometheus-client is not installed: pip install 'sseclient-cli[prometheus]'", arguments=["scrape"]
        ) from None
    return text, openmetrics


def selector_of(text: str) -> Selector:
    """Read ``NAME`` or ``NAME{label="value"}``. Raises UsageError."""
    parse, _ = require_parser()
    try:
        (sample,) = [sample for family in parse(f"{text.strip()} 0\n") for sample in family.samples]
    except (ValueError, IndexError, KeyError):
        sample = None
    if sample is None or sample.timestamp is not None or not _NAME.fullmatch(sample.name):
        raise UsageError(
            f'{text!r} is not the name of a series: write it like http_requests_total or name{{label="value"}}',
            arguments=["scrape_series"],
        )
    return Selector(sample.name, frozenset(sample.labels.items()))


class EndpointSource:
    """A Prometheus endpoint, with the default series and those of ``selectors``."""

    kind = SourceKind.ENDPOINT

    def __init__(self, url: str, selectors: Iterable[Selector] = (), tls: ssl.SSLContext | bool = True) -> None:
        self._text, self._openmetrics = require_parser()
        self._asked = tuple(selectors)
        self._selectors = (*(Selector(name) for name in DEFAULT_SERIES), *self._asked)
        self._names = {each.name for each in self._selectors}
        self._found: set[Selector] = set()
        self._cut: set[Selector] = set()
        self.name = redacted_url(url)
        self.missing: dict[str, str] = {}
        try:
            self._url = httpx.URL(url)
            is_http = self._url.scheme in ("http", "https") and bool(self._url.host)
        except httpx.InvalidURL:
            is_http = False
        if not is_http:
            raise UsageError(
                f"{self.name} is not the URL of a Prometheus endpoint: write it like http://localhost:9090/metrics",
                arguments=["scrape"],
            )
        # No proxy of the environment: the endpoint is as near as the target. Prometheus follows redirects too, and
        # FastAPI redirects from /metrics to /metrics/.
        self._client = httpx.Client(
            timeout=TIMEOUT_S, trust_env=False, verify=tls, follow_redirects=True, headers={"Accept": _ACCEPT}
        )

    def read(self) -> Reading:
        """Return the values of now. Raises SampleError with the reason if there is no usable response."""
        text, is_openmetrics = self._get()
        names: set[str] = set()
        lines = "\n".join(self._lines(text, names))
        parse = self._openmetrics if is_openmetrics else self._text
        try:
            reading = self._values(parse(lines + "\n"))
        except (ValueError, IndexError, KeyError) as exc:
            raise SampleError(f"invalid Prometheus text: {str(exc)[:MAX_REASON]}") from exc
        self._note_missing(names)
        return reading

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self) -> tuple[str, bool]:
        ends_s = time.monotonic() + TIMEOUT_S
        try:
            with self._client.stream("GET", self._url) as response:
                if response.status_code != httpx.codes.OK:
                    raise SampleError(f"answered {response.status_code} {response.reason_phrase}".rstrip())
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if time.monotonic() > ends_s:
                        raise SampleError(f"took longer than {TIMEOUT_S:g} s")
                    if len(body) > MAX_BYTES:
                        raise SampleError(f"has more than {MAX_BYTES // 1024**2} MiB")
                kind = response.headers.get("content-type", "")
        except httpx.TimeoutException:
            raise SampleError(f"took longer than {TIMEOUT_S:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
            raise SampleError(redacted_text(_reason(exc))) from exc
        if "html" in kind:
            raise SampleError(f"answered {kind.partition(';')[0]}, not Prometheus text")
        return body.decode("utf-8", "replace"), "openmetrics" in kind

    def _lines(self, text: str, names: set[str]) -> Iterator[str]:
        """Yield the lines of wanted series, and those that the parser of OpenMetrics needs. Add all names to a set."""
        for line in text.split("\n"):
            if line.startswith("#"):
                if line.startswith(("# TYPE ", "# EOF")):
                    yield line
            elif (match := _NAME.match(line)) is not None:
                names.add(match[0])
                if match[0] in self._names:
                    yield line

    def _values(self, families: Iterable[Metric]) -> Reading:
        reading: dict[str, float] = {}
        for sample in (sample for family in families for sample in family.samples):
            selector = next((each for each in self._selectors if each.matches(sample.name, sample.labels)), None)
            if selector is None:
                continue
            if len(reading) == MAX_SERIES:
                self._cut.add(selector)
                break
            self._found.add(selector)
            if math.isfinite(sample.value):
                reading[_series_name(sample.name, sample.labels)] = float(sample.value)
        return reading

    def _note_missing(self, names: set[str]) -> None:
        wanted = {each: _series_name(each.name, dict(each.labels)) for each in self._asked}
        self.missing = {wanted[each]: _near(each.name, names) for each in self._asked if each not in self._found}
        for each in self._cut & wanted.keys():
            self.missing[wanted[each]] = f"only the first {MAX_SERIES} series are read: add labels"


def _series_name(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{value.translate(_LABEL_ESCAPES)}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name


def _near(name: str, names: set[str]) -> str:
    if name in names:
        return "it has other labels"
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    return f"near names: {', '.join(near)}" if near else f"{len(names):,} other names"


def _reason(exc: Exception) -> str:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return str(exc) or type(exc).__name__
