"""Links between pages lead somewhere: ``make docs`` checks those inside of docs/, and this those of all pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE = sorted(DOCS.rglob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *SITE, ROOT / "benchmarks/README.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
MENTION = re.compile(r"\bdocs/[\w/-]+\.md\b")


def links_of(page: Path) -> list[str]:
    text = FENCE.sub("", page.read_text("utf-8"))
    return [link for link in LINK.findall(text) if "://" not in link]


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of the headings, as Python-Markdown and GitHub make them."""
    headings = HEADING.findall(FENCE.sub("", page.read_text("utf-8")))
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    for link in links_of(path):
        location, _, anchor = link.partition("#")
        target = (path.parent / location).resolve() if location else path
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("path", SITE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_of_the_site_links_out_of_it(path: Path) -> None:
    """The site holds docs/ alone, and Zensical (0.0.73) does not report such a link."""
    outside = [link for link in links_of(path) if not (path.parent / link).resolve().is_relative_to(DOCS)]
    assert outside == []


@pytest.mark.parametrize("path", SITE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_page_is_in_the_navigation(path: Path) -> None:
    """Zensical (0.0.73) does not report a page that no menu leads to."""
    entries = [line.split()[-1] for line in (ROOT / "mkdocs.yml").read_text("utf-8").splitlines() if line]
    assert entries.count(str(path.relative_to(DOCS))) == 1


def test_every_page_that_code_mentions_exists() -> None:
    folders = ("sseclient_cli", "demo_server", "benchmarks", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    mentions = {(path, mention) for path in (*PAGES, *files) for mention in MENTION.findall(path.read_text("utf-8"))}
    assert {(path, mention) for path, mention in mentions if not (ROOT / mention).exists()} == set()
