"""Check that texts are written in plain technical English: ``python -m tools.word_lint [--density]``.

Two checks, both configured in ``[tool.word-lint]`` of pyproject.toml:

- Phrases that make a sentence harder to read, or that name a thing differently from the glossary (``WORDS``).
- The density of clauses that begin with a pronoun instead of a noun (``PRONOUNS``) in comments and docstrings. h11,
  httpx, httpcore, uvicorn and starlette have 0 to 2 of them per 1,000 words.

``not-yet-rewritten`` lists files and folders that do not pass yet. An entry that passes must be removed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path, PurePosixPath

from tools.readable_text import Passage, passages

ROOT = Path(__file__).parents[1]

WORDS = {
    r"for ever": "forever; or name the limit that is missing",
    r"anew": "again",
    r"be it": "whether ... or; or two sentences",
    r"bec(?:o|a)mes? of": "what happens to",
    r"com(?:es?|ing) to nothing": "fails; has no effect",
    r"asked for": "requested",
    r"in place of": "instead of; replaces",
    r"of which": "two sentences",
    r"who(?:so)?ever": "the name of the thing: a client, a user",
    r"(?:no|every|some)body(?:'s)?": "the name of the thing: no client, each subscriber",
    r"(?:is|are) to be": "must be; or the verb itself",
    r"so many": "the option's value, such as COUNT; a number of",
    r"in vain": "without success; failed",
    # The glossary.
    r"stamp(?:s|ed|ing|less)?": "kernel timestamp; arrival time",
    r"legs?": "connection; request",
    r"(?:who|what|that) sets? the pace": "is the bottleneck",
    r"farewells?": "shutdown notice",
    r"impatient": "stall timeout; disconnect slow clients",
    r"hung up on": "disconnected",
    r"patience|waits out": "retry policy; back-off",
    r"meters?": "event sampler",
}
"""Phrases that are wrong wherever they stand, and the plain words for them."""

PRONOUNS = ("who", "what", "whoever", "nobody", "somebody")
"""Each of them counts, wherever it stands in the clause."""

_PHRASES = re.compile(
    # One group per phrase; a phrase may be wrapped.
    r"\b(?<!-)(?:" + "|".join(f"({phrase})" for phrase in WORDS).replace(" ", r"\s+") + r")(?![\w-])",
    re.IGNORECASE,
)
_CLAUSES = re.compile(rf"(?<![\w-])(?:{'|'.join(PRONOUNS)})(?:'s)?(?![\w-])", re.IGNORECASE)
_WORD = re.compile(r"[\w'-]+")


@dataclass(frozen=True, slots=True)
class Config:
    """The table ``[tool.word-lint]``."""

    paths: tuple[str, ...]
    max_clauses_per_1000_words: float
    not_yet_rewritten: tuple[str, ...]

    @classmethod
    def read(cls, root: Path) -> Config:
        """Read pyproject.toml."""
        table = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["word-lint"]
        return cls(tuple(table["paths"]), float(table["max-clauses-per-1000-words"]), tuple(table["not-yet-rewritten"]))


@dataclass(slots=True)
class Density:
    """The words of a folder's comments and docstrings, and the clauses counted in them."""

    words: int = 0
    clauses: list[str] = field(default_factory=list)

    @property
    def per_1000_words(self) -> float:
        """Return the density."""
        return 1000 * len(self.clauses) / self.words if self.words else 0.0

    def exceeds(self, maximum: float) -> bool:
        """Compare, but allow one clause in a folder of a few words."""
        return len(self.clauses) > ceil(self.words * maximum / 1000)


def found_in(passage: Passage) -> Iterator[str]:
    """Return a line for each phrase of ``WORDS``, with the plain words for it."""
    for match in _PHRASES.finditer(passage.text):
        plain = list(WORDS.values())[(match.lastindex or 1) - 1]
        yield f'{passage.place(match.start())}: "{" ".join(match[0].split())}": write: {plain}'


def folder_of(path: str) -> str:
    """Return the folder whose density a file counts in: two levels deep at most."""
    return "/".join(PurePosixPath(path).parts[:-1][:2]) or "."


def is_below(path: str, entries: Iterable[str]) -> str | None:
    """Return the entry that is the path or one of its parents."""
    parents = {path, *(str(parent) for parent in PurePosixPath(path).parents)}
    return next((entry for entry in entries if entry in parents), None)


def lint(root: Path, config: Config) -> tuple[list[str], dict[str, Density]]:
    """Return the findings, and the density of each folder."""
    phrases: dict[str | None, list[str]] = defaultdict(list)
    checked: dict[str, Density] = defaultdict(Density)
    left_out: dict[str, Density] = defaultdict(Density)
    for path in _files(root, config.paths):
        entry = is_below(path, config.not_yet_rewritten)
        for passage in passages(root, path):
            phrases[entry] += found_in(passage)
            if passage.is_comment:
                density = (checked if entry is None else left_out)[folder_of(path) if entry is None else entry]
                density.words += len(_WORD.findall(passage.text))
                density.clauses += [
                    f"{passage.place(m.start())}: {m[0].lower()}" for m in _CLAUSES.finditer(passage.text)
                ]
    findings = phrases[None]
    maximum = config.max_clauses_per_1000_words
    for folder, density in checked.items():
        if density.exceeds(maximum):
            findings += [f"{clause}: begins a clause; {folder} has more than {maximum:g} of them per 1,000 words"
                         for clause in density.clauses]  # fmt: skip
    for entry in config.not_yet_rewritten:
        if not phrases[entry] and not left_out[entry].exceeds(maximum):
            findings.append(f"pyproject.toml: {entry} passes: remove it from not-yet-rewritten")
    return findings, {**checked, **{f"{entry} (not yet)": density for entry, density in left_out.items()}}


def _files(root: Path, patterns: Iterable[str]) -> list[str]:
    return sorted({path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)})


def main() -> int:
    """Print the findings and the densities; return 1 if there are findings."""
    config = Config.read(ROOT)
    findings, densities = lint(ROOT, config)
    for line in findings:
        print(line)
    if "--density" in sys.argv[1:] or findings:
        print(f"\n{', '.join(PRONOUNS)} per 1,000 words (at most {config.max_clauses_per_1000_words:g}):")
        for folder, density in sorted(densities.items()):
            print(f"  {folder:40} {density.per_1000_words:5.1f} of {density.words:6,} words")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
