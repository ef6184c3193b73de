"""Counting tokens with a tokenizer.json: texts, words of one token, and errors before the run."""

import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from sseclient_cli.errors import UsageError
from sseclient_cli.request.prompt_words import WORDS
from sseclient_cli.request.prompts import SyntheticPrompts
from sseclient_cli.request.token_count import TokenCount
from sseclient_cli.request.tokenizer import TextTokenizer


def _file(path: Path, texts: list[str]) -> str:
    """The file of a small tokenizer like GPT-2's, which knows the words of these texts."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    alphabet = ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts, BpeTrainer(vocab_size=4000, initial_alphabet=alphabet, show_progress=False))
    tokenizer.save(str(path))
    return str(path)


def test_prompts_of_words_of_one_token_have_their_exact_length(tmp_path: Path) -> None:
    known, unknown = WORDS[:40], WORDS[40:]
    tokenizer = TextTokenizer(_file(tmp_path / "t.json", [f"{word} {word}" for word in known] * 20))
    words = tokenizer.single(WORDS)
    assert set(words) <= set(known)
    assert tokenizer.count(f"{words[0]} {unknown[0]}") > 2
    prompts = SyntheticPrompts(TokenCount(100), "7", words=words)
    assert [tokenizer.count(prompts.prompt(number).turns[0]) for number in range(5)] == [100] * 5


def test_half_a_surrogate_pair_and_no_text_are_counted(tmp_path: Path) -> None:
    tokenizer = TextTokenizer(_file(tmp_path / "t.json", ["some text"]))
    assert tokenizer.count("") == 0
    assert tokenizer.count("\ud83d") == tokenizer.count("?")


def test_tokenizer_without_english_words_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too few English words"):
        TextTokenizer(_file(tmp_path / "t.json", ["qqq"])).single(WORDS)


def test_file_that_is_no_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*missing: no such file"):
        TextTokenizer(str(tmp_path / "missing"))
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(UsageError, match=r"other\.json is not a tokenizer\.json: "):
        TextTokenizer(str(tmp_path / "other.json"))


def test_missing_package_is_an_error_that_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(UsageError, match=r"pip install 'sseclient-cli\[tokenizer\]'"):
        TextTokenizer("t.json")
