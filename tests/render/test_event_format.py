import re

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.escaping import visible
from sseclient_cli.render.watch.event_format import FIELDS, EventFormat
from sseclient_cli.sse.event import Event

FIRST = Event("tick", "é\n", "7", 1_700_000_000_250_000_000)
SECOND = Event("message", "\x1b", "", 1_700_000_000_500_000_000)


def formatted(format_string: str, *events: Event, label: str = "") -> str:
    form = EventFormat(format_string, str)
    return "".join(form(event, label) for event in events)


def test_each_field_has_its_value_and_nothing_is_added() -> None:
    assert formatted("%e,%i,%d,%s,%n,%l;", FIRST, SECOND, label="a") == "tick,7,é\n,3,1,a;message,,\x1b,1,2,a;"
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.250", formatted("%t", FIRST))


def test_the_gap_of_the_first_event_is_unknown() -> None:
    assert formatted("%g ", FIRST, SECOND, SECOND) == "- 0.250 0.000 "


def test_escapes_and_the_percent_sign() -> None:
    assert formatted(r"100%%\t\r\n\0\\n", FIRST) == "100%\t\r\n\0\\n"


def test_text_of_the_server_is_escaped_and_the_format_is_not() -> None:
    assert EventFormat("%d\r%e", visible)(SECOND) == "\\x1b\rmessage"


@pytest.mark.parametrize(
    ("format_string", "part", "position"),
    [("%t %q", "'%q'", 4), ("50%", "'%'", 3), ("\\x", r"'\\x'", 1), ("a\\", r"'\\'", 2), ("%\n", r"'%\n'", 1)],
)
def test_an_unknown_field_or_escape_is_an_error_that_lists_the_known_ones(
    format_string: str, part: str, position: int
) -> None:
    with pytest.raises(UsageError) as caught:
        EventFormat(format_string, str)
    known = "%t %e %i %d %s %n %g %l %% \\n \\t \\r \\0 \\\\"
    assert str(caught.value) == f"`format_string` has {part} at position {position}: known are {known}"
    assert all(f"%{letter}" in known for letter in FIELDS)
