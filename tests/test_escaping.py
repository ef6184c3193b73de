from __future__ import annotations

import unicodedata

import pytest

from sseclient_cli.escaping import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\x00c\x7f", r"a\x0db\x00c\x7f"),
        ("user\u202egpj.exe", r"user\u202egpj.exe"),
        ("\u2066\u2069\u200e\u200f\u061c", r"\u2066\u2069\u200e\u200f\u061c"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("\ud800", r"\ud800"),
        ("a\n\tb", "a\n\tb"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    ["plain", "schön 火", "👩\u200d🚒 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "שלום", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "[red]x[/red]"],
)
def test_printable_text_is_unchanged(text: str) -> None:
    assert visible(text) == text


def test_line_feeds_and_tabs_are_escaped_unless_kept() -> None:
    assert visible("a\nb\tc", keep_lines=False) == r"a\x0ab\x09c"


def test_every_control_and_bidi_character_of_unicode_is_escaped() -> None:
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in bidi:
            assert visible(character, keep_lines=False) != character, hex(code)
