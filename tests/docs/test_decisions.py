"""A decision is one page of one form; the page of the architecture has the layers of the package."""

import re
import tomllib
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
PAGE = re.compile(
    r"# (\d+)\. .+\n\n\*\d{4}-\d\d-\d\d\*\n\n## Context\n.+\n## Decision\n.+\n## Consequences\n.+", re.DOTALL
)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_a_page_with_context_decision_and_consequences(path: Path) -> None:
    text = path.read_text("utf-8")
    found = PAGE.fullmatch(text)
    assert found is not None
    assert int(found[1]) == int(path.name[:4])
    assert len(text.splitlines()) <= 60


def test_the_index_lists_every_decision_with_its_date_and_title() -> None:
    rows = re.findall(
        r"^\| (\d+) \| (.+) \| \[(.+)\]\((.+)\) \|$", (DOCS / "decisions/index.md").read_text("utf-8"), re.M
    )
    expected = []
    for page in DECISIONS:
        title, _, date, *_ = page.read_text("utf-8").splitlines()
        number, _, words = title.removeprefix("# ").partition(". ")
        expected.append((number, date.strip("*"), words, page.name))
    assert rows == expected


def test_the_architecture_has_the_layers_that_lint_checks() -> None:
    config = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
    contracts = {contract["name"]: contract for contract in config["tool"]["importlinter"]["contracts"]}
    layers = [set(re.split("[|: ]+", layer)) for layer in contracts["Arrows point down"]["layers"]]
    section = (DOCS / "architecture.md").read_text("utf-8").partition("\n## ")[0]
    rows = [set(re.findall("`(.+?)`", row)) for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)]
    assert [{"__main__"}, *rows] == layers
