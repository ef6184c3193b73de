"""Build the target of a run whose streams request several URLs, or have values of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sseclient_cli.cli.options.per_stream import PerStreamOptions
from sseclient_cli.cli.options.request import RequestOptions
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.request.target import Target

_BEFORE_THE_PATH = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]*\{")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][\w.:-]*\}")


def target_of_streams(
    url: str | None, options: PerStreamOptions, request: RequestOptions, requested: Callable[[str], Target]
) -> Target:
    """Return the target of a run. ``requested`` makes that of one URL. Raises UsageError."""
    from sseclient_cli.request.per_stream import with_values
    from sseclient_cli.request.urls_file import WeightedUrl, read_urls
    from sseclient_cli.request.values_file import read_values

    for option, text in (("--user", request.user), ("--bearer-env", request.bearer_env)):
        if text is not None and _PLACEHOLDER.search(text):
            raise UsageError(f"{option} takes no placeholder: write --header 'Authorization: ...'")
    urls = [WeightedUrl(url or "")] if options.urls_file is None else read_urls(options.urls_file)
    for each in urls:
        if _BEFORE_THE_PATH.match(each.url):
            raise UsageError(f"{each.url}: a placeholder cannot be in the host: give the URLs with --urls FILE")
    return with_values(
        [requested(each.url) for each in urls],
        urls,
        None if options.values_file is None else read_values(options.values_file),
        values_file=options.values_file,
        urls_file=options.urls_file,
    )
