from __future__ import annotations

import pytest

from sseclient_cli.render.watch.labels import MAX_LABEL_CHARS, labels_of


@pytest.mark.parametrize(
    ("urls", "labels"),
    [
        (["http://a/x"], [""]),
        (["http://a/x", "http://b:8000/x"], ["a", "b:8000"]),
        (["http://a/x", "http://a/y?z=1"], ["/x", "/y?z=1"]),
        (["http://a/x", "http://b/x", "http://a/y"], ["a/x", "b/x", "a/y"]),
        (["http://a/x", "https://a/x"], ["http://a/x", "https://a/x"]),
        (["http://a/x", "http://a/x"], ["1:a/x", "2:a/x"]),
        (["http://a", "http://a/y"], ["a", "a/y"]),
    ],
)
def test_a_label_is_the_shortest_part_that_differs(urls: list[str], labels: list[str]) -> None:
    assert labels_of(urls) == labels


def test_a_label_is_short_and_harmless() -> None:
    first, second = labels_of(["http://a/" + "x" * 99 + "\x1b1", "http://a/" + "x" * 99 + "2"])
    assert len(first) == len(second) == MAX_LABEL_CHARS
    assert first == "…" + "x" * 18 + r"\x1b1"
    assert second == "…" + "x" * 22 + "2"


def test_labels_that_only_differ_before_the_cut_get_numbers() -> None:
    assert labels_of(["http://a/1" + "x" * 99, "http://a/2" + "x" * 99])[0].startswith("1:…")
