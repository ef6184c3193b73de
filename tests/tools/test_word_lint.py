"""The word lint finds phrases in the text that people read, and nothing in code or data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.word_lint import Config, lint

EVERYTHING = Config(paths=("**/*.*", "Makefile"), max_clauses_per_1000_words=2, not_yet_rewritten=())


def findings(folder: Path, config: Config = EVERYTHING, **files: str) -> list[str]:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return lint(folder, config)[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('"""Module."""\n\n# Read anew.\n', 3),
        ('"""Module.\n\nRead anew.\n"""\n', 3),
        ('"""Module."""\n\nraise ValueError("read anew")\n', 3),
        ('"""Module."""\n\nraise ValueError(f"read {1} anew")\n', 3),
        ('"""Module."""\n\nx = option(\n    help="Read anew.",\n)\n', 4),
        ('"""Module."""\n\nx = 1  # read anew\n', 3),
    ],
    ids=["comment", "docstring", "error", "f-string", "help", "trailing-comment"],
)
def test_a_phrase_is_found_with_its_line_and_the_plain_word(text: str, line: int, tmp_path: Path) -> None:
    assert findings(tmp_path, product__a_dot_py=text) == [f'product/a.py:{line}: "anew": write: again']


def test_a_phrase_is_found_across_lines_and_at_the_start_of_a_sentence(tmp_path: Path) -> None:
    assert findings(tmp_path, a_dot_py="# It waits for\n# ever.\n# Nobody's.\n", b_dot_md="a\n\nFor\never.\n") == [
        'a.py:1: "for ever": write: forever; or name the limit that is missing',
        'a.py:3: "Nobody\'s": write: the name of the thing: no client, each subscriber',
        'b.md:3: "For ever": write: forever; or name the limit that is missing',
    ]


def test_code_identifiers_and_the_data_of_tests_are_not_text(tmp_path: Path) -> None:
    code = '"""Call ``read_anew`` and `anew`."""\n\nanew = "anew"\nfarewell_anew = [anew]\n'
    page = "Call `anew`:\n\n    anew\n\n```python\nanew\n```\n\nSee [the page](anew.md).\n"
    assert findings(tmp_path, a_dot_py=code, tests__b_dot_py='x = "read anew"\n', c_dot_md=page) == []


def test_comments_of_other_files_are_text(tmp_path: Path) -> None:
    found = findings(
        tmp_path, Makefile="all: ## Read anew.\n", a_dot_toml="x = 1 # anew\n", b_dot_js="/* Read\n * anew */\nanew()\n"
    )
    assert found == [f'{place}: "anew": write: again' for place in ("Makefile:1", "a.toml:1", "b.js:2")]


def test_more_pronoun_clauses_than_allowed_are_listed(tmp_path: Path) -> None:
    found = findings(tmp_path, product__a_dot_py="# What waits.\n\n# Who waits.\n")
    assert found == [
        f"product/a.py:{line}: {word}: begins a clause; product has more than 2 of them per 1,000 words"
        for line, word in ((1, "what"), (3, "who"))
    ]


def test_a_folder_of_a_few_words_may_have_one_pronoun_clause(tmp_path: Path) -> None:
    assert findings(tmp_path, product__a_dot_py="# What waits.\n") == []


def test_a_folder_not_yet_rewritten_is_left_out_until_it_passes(tmp_path: Path) -> None:
    config = Config(EVERYTHING.paths, 2, ("product",))
    assert findings(tmp_path, config, product__deep__a_dot_py="# Read anew. Who? What?\n") == []
    assert findings(tmp_path, config, product__deep__a_dot_py="# Read again.\n") == [
        "pyproject.toml: product passes: remove it from not-yet-rewritten"
    ]
