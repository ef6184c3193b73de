from __future__ import annotations

import pytest

from sseclient_cli.render.watch.terminal_event import ERROR_COLOUR, TYPE_COLOURS, type_colour
from sseclient_cli.sse.event import Event

LEVELS = (0, 95, 135, 175, 215, 255)


def luminance(colour: int) -> float:
    """The relative luminance (WCAG 2) of a colour of the 6x6x6 cube."""
    cube = colour - 16
    channels = [LEVELS[cube // 36] / 255, LEVELS[cube // 6 % 6] / 255, LEVELS[cube % 6] / 255]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [*TYPE_COLOURS, ERROR_COLOUR])
def test_each_colour_is_readable_on_black_and_on_white(colour: int) -> None:
    assert (luminance(colour) + 0.05) / 0.05 >= 3.9
    assert 1.05 / (luminance(colour) + 0.05) >= 3.9


def test_a_type_has_the_same_colour_in_every_run() -> None:
    assert [type_colour(Event(name, "", "")) for name in ("message", "tick", "done")] == [98, 133, 30]


def test_types_differ_and_only_errors_are_red() -> None:
    colours = {type_colour(Event(f"type-{number}", "", "")) for number in range(100)}
    assert colours == set(TYPE_COLOURS)
    assert ERROR_COLOUR not in colours
    assert type_colour(Event("error", "", "")) == ERROR_COLOUR
    assert type_colour(Event("message", '{"error": {"code": 1}}', "")) == ERROR_COLOUR
