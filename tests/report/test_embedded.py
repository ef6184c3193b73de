"""The document inside a page."""

from __future__ import annotations

import random

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.report import embedded
from sseclient_cli.report.embedded import OPENING_TAG, is_page, packed, unpacked


def page_with(text: str) -> str:
    return f"<html>{OPENING_TAG}\n{text}\n</script></html>"


def rows(number: int) -> dict[str, object]:
    rng = random.Random(1)
    noise = [
        {"t_s": t_s, "delivery_us": " ".join(f"{rng.random()}" for _ in range(10)), "gap_us": "7:1"}
        for t_s in range(number)
    ]
    return {"schema": 2, "timeline": noise}


def test_a_document_comes_back_as_it_was() -> None:
    made = packed({"schema": 2, "name": "</script>\u2028ü"})
    assert made.is_complete
    assert "<" not in made.base64
    assert unpacked(page_with(made.base64), "p.html") == '{\n  "schema": 2,\n  "name": "</script>\\u2028\\u00fc"\n}\n'


def test_the_same_document_makes_the_same_page() -> None:
    assert packed({"a": 1}) == packed({"a": 1})


def test_a_large_document_lacks_the_row_histograms_and_says_so_when_read() -> None:
    made = packed(rows(3_000))
    assert not made.is_complete
    assert len(made.base64) < embedded.MAX_PACKED_BYTES
    with pytest.raises(UsageError, match=r"p.html holds its document without the histograms of the timeline"):
        unpacked(page_with(made.base64), "p.html")


@pytest.mark.parametrize("text", ["AAAA", "H4sIAAAA", "A" * 5])
def test_a_damaged_document_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"p.html is damaged"):
        unpacked(page_with(text), "p.html")


def test_a_cut_document_is_an_error() -> None:
    whole = packed(rows(10)).base64
    with pytest.raises(UsageError, match=r"p.html is damaged"):
        unpacked(page_with(whole[: len(whole) // 8 * 4]), "p.html")


def test_a_document_that_grows_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MAX_JSON_BYTES", 1_000)
    with pytest.raises(UsageError, match=r"too large"):
        unpacked(page_with(packed({"a": "x" * 100_000}).base64), "p.html")


def test_another_page_holds_no_document() -> None:
    assert not is_page("<html></html>")
    with pytest.raises(UsageError, match="holds no document"):
        unpacked("<html></html>", "p.html")
