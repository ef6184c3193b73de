"""Counts tokens with a ``tokenizer.json`` of Hugging Face. It needs the package ``tokenizers``."""

from __future__ import annotations

from collections.abc import Sequence

from sseclient_cli.errors import UsageError
from sseclient_cli.request.values_file import read_text

MIN_WORDS = 16
"""With fewer words, prompts would repeat each other."""


class TextTokenizer:
    """Counts the tokens of texts, without those that mark the beginning and the end of a sequence."""

    def __init__(self, name: str) -> None:
        """Read a file. Raises UsageError if it is no tokenizer, or if the package is missing."""
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise UsageError(
                "the package tokenizers is not installed: pip install 'sseclient-cli[tokenizer]'",
                arguments=["tokenizer"],
            ) from None
        text = read_text(name, "tokenizer")
        try:
            self._tokenizer = Tokenizer.from_str(text)
        except Exception as exc:  # tokenizers (0.23) raises Exception itself
            raise UsageError(f"{name} is not a tokenizer.json: {exc}", arguments=["tokenizer"]) from exc

    def count(self, text: str) -> int:
        """Return the number of tokens of a text."""
        whole = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text for it
        return len(self._tokenizer.encode(whole, add_special_tokens=False).ids)

    def single(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the words that are one token each, alone and after another word. Raises UsageError for too few."""
        first = next((word for word in words if self.count(word) == 1), "")
        found = tuple(word for word in words if self.count(word) == 1 and self.count(f"{first} {word}") == 2)
        if len(found) < MIN_WORDS:
            raise UsageError(
                "the tokenizer has too few English words of one token: give the prompts with a file of values",
                arguments=["tokenizer"],
            )
        return found
