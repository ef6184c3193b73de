from io import StringIO

from rich.console import Console
from rich.text import Text

from sseclient_cli.render.terminal.rows import Facts, Row


def shown(row: Row, width: int = 30, color: str | None = None) -> str:
    console = Console(width=width, file=StringIO(), force_terminal=color is not None, color_system="standard")
    with console.capture() as captured:
        console.print(row)
    return captured.get()


def test_a_text_is_wrapped_beside_its_label_without_spaces_at_the_ends() -> None:
    text = shown(Row(Text("fault"), Text("seven of twenty streams went silent")))
    assert text == "fault    seven of twenty\n         streams went silent\n"


def test_figures_are_wrapped_between_two_of_them() -> None:
    row = Row(Text("streams"), Facts(Text("50 opened"), Text("0 failed"), Text("7 without an event")))
    assert shown(row) == "streams  50 opened  0 failed\n         7 without an event\n"


def test_the_style_of_a_label_is_not_that_of_its_text() -> None:
    text = shown(Row(Text("streams", "bold"), Facts(Text("50 opened"))), color="standard")
    assert text == "\x1b[1mstreams\x1b[0m  50 opened\n"


def test_a_label_longer_than_the_column_is_not_cut() -> None:
    assert shown(Row(Text("assertions"), Text("3 passed"))) == "assertions  3 passed\n"
