"""Files with URLs: weights, and how streams are shared among them."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.errors import UsageError
from sseclient_cli.request.urls_file import MAX_TURNS, WeightedUrl, read_urls, turns_of


def test_weights_and_comments_are_read(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("# the shards\nhttp://a/{n}\n\n  3 http://b/\n")
    assert read_urls(str(file)) == [WeightedUrl("http://a/{n}"), WeightedUrl("http://b/", 3)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no URL"),
        ("# none\n", "has no URL"),
        ("http://a/\n0 http://b/\n", "line 2: '0' is not a weight"),
        ("half http://b/\n", "line 1: 'half' is not a weight"),
        ("1 2 http://b/\n", "line 1: write URL, or WEIGHT URL"),
    ],
)
def test_unusable_file_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "urls.txt"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_urls(str(file))
    assert message in str(raised.value)


def test_too_large_weights_are_an_error() -> None:
    with pytest.raises(UsageError, match="too large"):
        turns_of([MAX_TURNS, 1])


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_each_url_has_its_share_of_any_number_of_streams(weights: list[int]) -> None:
    turns = turns_of(weights)
    total, drawn = sum(weights), Counter[int]()
    for count, index in enumerate(turns, 1):
        drawn[index] += 1
        for number, weight in enumerate(weights):
            assert abs(drawn[number] - count * weight / total) < len(weights)
    assert all(drawn[number] * total == weight * len(turns) for number, weight in enumerate(weights))
