"""Prompts from files: conversations in the form of ShareGPT, and the columns of a file with values."""

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request import prompts_file
from sseclient_cli.request.prompts import Prompt
from sseclient_cli.request.prompts_file import is_conversations, prompts_of, read_conversations
from sseclient_cli.request.values_file import read_values


def _item(*texts: str, role: str = "human") -> dict[str, Any]:
    turns = [({"from": role, "value": text}, {"from": "gpt", "value": f"answer to {text}"}) for text in texts]
    return {"id": "x", "conversations": [turn for pair in turns for turn in pair]}


def _file(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_human_turns_of_each_conversation_are_read(tmp_path: Path) -> None:
    first, second = _item("Hi", "Why?"), _item("é", role="user")
    bot_first = {"conversations": [{"from": "gpt", "value": "Hello"}, {"from": "human", "value": "Go on"}]}
    without = {"conversations": [{"from": "gpt", "value": "Hello"}, {"from": "human", "value": " "}]}
    name = _file(tmp_path / "a.json", "\ufeff\n " + json.dumps([first, without, second, bot_first], indent=1))
    assert is_conversations(name)
    read = read_conversations(name)
    assert read.listed == (Prompt(("Hi", "Why?")), Prompt(("é",)), Prompt(("Go on",)))
    assert read.notes == ("conversations without a text of a human are left out: 1",)


@pytest.mark.parametrize("read_chars", [1, 7, 50])
def test_items_may_be_divided_anywhere_between_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_chars: int
) -> None:
    monkeypatch.setattr(prompts_file, "READ_CHARS", read_chars)
    items = [_item(f'prompt {number} ]}},{{[ \\ "') for number in range(5)]
    name = _file(tmp_path / "a.json", "[" + json.dumps(items, indent=2)[1:])
    assert [prompt.turns for prompt in read_conversations(name).listed] == [
        (f'prompt {number} ]}},{{[ \\ "',) for number in range(5)
    ]


def test_only_the_beginning_of_a_large_file_is_read(tmp_path: Path) -> None:
    item = json.dumps(_item("Hi", "x" * 5000))
    path = tmp_path / "large.json"
    with path.open("w") as file:
        file.write("[" + ",".join([item] * 100))
        for _ in range(99):
            file.write("," + ",".join([item] * 100))
        file.write(", this is never read")
    tracemalloc.start()
    began_s = time.process_time()
    read = read_conversations(str(path), most=100)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(read.listed) == 100
    assert read.notes == (f"{path} has more than the 100 conversations that are used: its first ones",)
    assert peak_bytes < path.stat().st_size / 5
    assert time.process_time() - began_s < 10


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "has no conversation with a text of a human"),
        ("[{]", "is not a JSON array: "),
        ('[{"conversations": []}', "is not a JSON array: "),
        (
            '[{"prompt": "Hi"}]',
            'conversation 1: no list of "conversations", as in ShareGPT; write other prompts as JSON',
        ),
        ("[1]", "conversation 1: no list"),
        ('[{"conversations": ["Hi"]}]', "conversation 1: no list"),
    ],
)
def test_errors_name_file_and_conversation(tmp_path: Path, text: str, error: str) -> None:
    name = _file(tmp_path / "a.json", text)
    with pytest.raises(UsageError, match=r"a\.json") as raised:
        read_conversations(name)
    assert error in str(raised.value)


def test_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*missing: no such file"):
        is_conversations(str(tmp_path / "missing"))
    (tmp_path / "latin").write_bytes(b'[{"a": "\xe9"}]')
    with pytest.raises(UsageError, match="the text is not UTF-8"):
        is_conversations(str(tmp_path / "latin"))


def test_columns_make_prompts_with_their_own_limit(tmp_path: Path) -> None:
    csv = _file(tmp_path / "a.csv", 'prompt,max_tokens,user\n"Hi, you",7,u1\nWhy?,,u2\n')
    assert not is_conversations(csv)
    found = prompts_of(read_values(csv), csv)
    assert found is not None
    assert found.listed == (Prompt(("Hi, you",), max_tokens=7), Prompt(("Why?",)))


def test_json_lines_have_prompt_messages_or_turns(tmp_path: Path) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "t"}]},
    ]
    rows = [{"prompt": "Hi"}, {"messages": messages, "max_tokens": 5}, {"turns": ["a", "b"]}]
    name = _file(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    found = prompts_of(read_values(name), name)
    assert found is not None
    assert found.listed == (Prompt(("Hi",)), Prompt(messages=tuple(messages), max_tokens=5), Prompt(("a", "b")))


def test_file_without_a_column_of_prompts_has_none(tmp_path: Path) -> None:
    name = _file(tmp_path / "a.csv", "token\nt1\n")
    assert prompts_of(read_values(name), name) is None


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"prompt": "Hi", "turns": ["a"]}, "row 2 has several prompts: write one of prompt, messages, turns"),
        ({"max_tokens": 3}, "row 2 has no prompt: write one of"),
        ({"prompt": "Hi", "max_tokens": 0}, "row 2: max_tokens '0' is not a whole number from 1 on"),
        ({"prompt": "Hi", "max_tokens": "many"}, "row 2: max_tokens 'many' is not"),
        ({"messages": "Hi"}, "row 2: messages is not a JSON array like"),
        ({"messages": []}, "row 2: messages is not a JSON array like"),
        ({"messages": [{"content": "Hi"}]}, "row 2: messages is not a JSON array like"),
        ({"turns": [1]}, "row 2: turns is not a JSON array of texts like"),
    ],
)
def test_wrong_row_is_named(tmp_path: Path, row: dict[str, Any], error: str) -> None:
    name = _file(tmp_path / "a.jsonl", json.dumps({"prompt": "Hi"}) + "\n" + json.dumps(row))
    with pytest.raises(UsageError, match=r"row 2") as raised:
        prompts_of(read_values(name), name)
    assert error in str(raised.value)
