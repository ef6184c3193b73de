"""Build the target of a run whose streams request several URLs, or have values of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sseclient_cli.cli.llm_requests import asking, file_prompts
from sseclient_cli.cli.options.per_stream import PerStreamOptions
from sseclient_cli.cli.options.request import RequestOptions
from sseclient_cli.errors import UsageError

if TYPE_CHECKING:
    from sseclient_cli.request.llm_body import LlmBodies
    from sseclient_cli.request.prompts import ListedPrompts
    from sseclient_cli.request.target import Target

_BEFORE_THE_PATH = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]*\{")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][\w.:-]*\}")


def target_of_streams(
    url: str | None,
    options: PerStreamOptions,
    request: RequestOptions,
    requested: Callable[[str], Target],
    asked: Callable[[str, ListedPrompts | None], LlmBodies] | None = None,
) -> Target:
    """Return the target of a run. ``requested`` makes that of one URL. Raises UsageError.

    ``asked`` makes the bodies for the API of a URL, with the prompts of the file of values, if it has any.
    """
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
    targets = [requested(each.url) for each in urls]
    bodies, columns = None, None
    if asked is not None and targets[0].body is None:
        prompts, columns = file_prompts(options.values_file)
        bodies = asked(targets[0].url, prompts)
        targets = [asking(target, bodies) for target in targets]
    elif options.values_file is not None:
        columns = read_values(options.values_file)
    return with_values(targets, urls, columns, values_file=options.values_file, urls_file=options.urls_file, llm=bodies)
