"""The task of a load generator: how many requests to which URL; and the files that other tools need for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from demo_server.llm.sentences import SENTENCES

PATH = "/v1/chat/completions"
MODEL = "demo"
PROMPT = "What is an event stream, and why do readers notice the time to the first token?"


@dataclass(frozen=True, slots=True)
class Load:
    """Requests in a closed loop: each of the slots sends one request after the other."""

    slots: int
    requests: int
    query: str = ""
    """Parameters of the demo server, as in a URL."""

    @property
    def title(self) -> str:
        return f"{self.slots} at a time, {self.query or 'default pace'}"


@dataclass(frozen=True)
class Task:
    """A load on a server, and a folder for the tool's own files."""

    load: Load
    port: int
    folder: Path

    @property
    def server(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> str:
        """The path and the query."""
        return PATH + (f"?{self.load.query}" if self.load.query else "")

    @property
    def url(self) -> str:
        return self.server + self.target

    @cached_property
    def tokenizer(self) -> Path:
        """A folder with a tokenizer in the format of Hugging Face: a word of the demo server is a token.

        Most tools load a tokenizer even if they count with the server's usage. The one of a real model would have to
        be downloaded; aiperf's `--tokenizer builtin` is downloaded too.
        """
        made = self.folder / "tokenizer"
        made.mkdir()
        words = dict.fromkeys(word for sentence in (*SENTENCES, PROMPT) for word in sentence.split())
        unknown = "[UNK]"
        vocabulary = {unknown: 0, **{word: number for number, word in enumerate(words, 1)}}
        special = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        tokenizer = {
            "version": "1.0",
            "added_tokens": [{"id": 0, "content": unknown, "special": True, **special}],
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown},
        }
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": unknown}
        (made / "tokenizer.json").write_text(json.dumps(tokenizer))
        (made / "tokenizer_config.json").write_text(json.dumps(settings))
        return made

    def prompts(self, field: str) -> Path:
        """Write a JSON line with the prompt for each request."""
        written = self.folder / "prompts.jsonl"
        written.write_text((json.dumps({field: PROMPT}) + "\n") * self.load.requests)
        return written
