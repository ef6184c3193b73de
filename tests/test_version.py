"""The version of the package, of CHANGELOG.md and of a release's tag agree: see "Releases" in CONTRIBUTING.md."""

from __future__ import annotations

import os
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from sseclient_cli import __version__

ROOT = Path(__file__).parents[1]
_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def problem_of(changelog: str, package: str, tag: str = "") -> str | None:
    """Return why these do not belong together; without a tag, the next version may be unreleased."""
    entries = [(match["version"], match["date"]) for match in _HEADING.finditer(changelog)]
    if tag and tag != f"v{package}":
        return f"the tag is {tag}, the package {package}"
    newest, date = entries[0]
    if newest == "Unreleased":
        return "the top entry of CHANGELOG.md is unreleased" if tag else None
    if newest != package:
        return f"the top entry of CHANGELOG.md is {newest}, the package {package}"
    return None if date else f"CHANGELOG.md does not say when {newest} was released"


def test_the_versions_of_this_checkout_agree() -> None:
    tag = os.environ.get("RELEASE_TAG", "")
    assert problem_of((ROOT / "CHANGELOG.md").read_text("utf-8"), __version__, tag) is None
    assert version("sseclient-cli") == __version__, "the installed package is another version: run make dev"


@pytest.mark.parametrize(
    ("heading", "tag", "problem"),
    [
        ("[Unreleased]", "", None),
        ("[1.2.0] - 2026-11-27", "", None),
        ("[1.2.0] - 2026-11-27", "v1.2.0", None),
        ("[1.2.0] - 2026-11-27", "v1.2.1", "the tag is v1.2.1, the package 1.2.0"),
        ("[1.2.0] - 2026-11-27", "1.2.0", "the tag is 1.2.0, the package 1.2.0"),
        ("[1.1.0] - 2026-11-27", "v1.2.0", "the top entry of CHANGELOG.md is 1.1.0, the package 1.2.0"),
        ("[Unreleased]", "v1.2.0", "the top entry of CHANGELOG.md is unreleased"),
        ("[1.2.0]", "", "CHANGELOG.md does not say when 1.2.0 was released"),
    ],
    ids=str,
)
def test_versions_that_do_not_agree_are_named(heading: str, tag: str, problem: str | None) -> None:
    changelog = f"# Changelog\n\n## {heading}\n\n### Added\n\n## [1.0.0] - 2026-01-01\n"
    assert problem_of(changelog, "1.2.0", tag) == problem
