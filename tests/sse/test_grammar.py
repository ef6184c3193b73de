"""The two forms of the grammar: segments of any lines, and blocks with one order of lines."""

from __future__ import annotations

import pytest

from sseclient_cli.sse.grammar import DEFAULT_ORDER, joined_data, order_of, segments


@pytest.mark.parametrize(
    ("lines", "groups"),
    [
        ("id: 1\nevent: e\ndata: x\n\n", [("e", "1", "x", None, None, "\n")]),
        ("data\ndata:y\ndata:  z\n", [(None, None, "\ndata:y\ndata:  z", None, None, "")]),
        ("data: x\nid\ndata: y\n\n\n", [(None, "", "x", None, None, ""), (None, None, "y", None, None, "\n\n")]),
        ("retry: 1\nretry: 2x\nid: 1\nid: 2\0\nx: y\n", [(None, "1", None, "1", None, "")]),
        (": a\n:\n", [(None, None, None, None, ": a", ""), (None, None, None, None, ":", "")]),
    ],
)
def test_a_segment_has_the_last_valid_value_of_each_kind_of_line(lines: str, groups: list[tuple[str, ...]]) -> None:
    assert [segment.groups() for segment in segments(lines)] == groups


@pytest.mark.parametrize("lines", ["x", "x\ndata: y", "x\ndata:y\ndata", "\ndata: data: x\ndata:  y"])
def test_joined_data_has_the_values_of_all_lines(lines: str) -> None:
    values = [line.removeprefix("data").removeprefix(":").removeprefix(" ") for line in lines.split("\n")[1:]]
    assert joined_data(lines) == "\n".join([lines.split("\n")[0], *values])


def test_an_order_also_matches_blocks_without_its_optional_lines() -> None:
    order = order_of("data: x\nevent: e\nid: 1")
    assert order is not None
    for block, fields in (
        ("data: y\nevent: e\n\n", ("e", None, "y")),
        ("data: y\nid: 2\n\n", (None, "2", "y")),
    ):
        found = order.one_block(block)
        assert found is not None
        assert order.fields(found) == fields


def test_blocks_of_the_same_lines_in_the_same_order_have_one_order() -> None:
    assert order_of("data: x") is order_of("id: 1\ndata: x") is DEFAULT_ORDER


@pytest.mark.parametrize("block", [": ping", "data: x\nid: 1\ndata: y", "x: y\ndata: x", "id: \ndata: x", "data"])
def test_a_block_that_no_order_matches_has_none(block: str) -> None:
    assert order_of(block) is None
