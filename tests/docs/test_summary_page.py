"""The page about the summary lists each finding, with its severity."""

import re

from documented_steps import DOCS

from sseclient_cli.render.words import WORDS


def test_the_page_about_the_summary_lists_each_finding_once() -> None:
    page = (DOCS / "how-to/read-the-summary.md").read_text("utf-8")
    codes = re.findall(r"^\| `([a-z-]+)` \| (?:fault|warning|note) \|", page, re.MULTILINE)
    assert sorted(codes) == sorted(WORDS)
