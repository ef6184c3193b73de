from __future__ import annotations

import pytest

from sseclient_cli.client.state import ConnectionState, StateChange
from sseclient_cli.payload.llm_text import Chunk, ChunkKind
from sseclient_cli.payload.reading import TextEvent
from sseclient_cli.render.watch.text_view import AnswerText, TextView
from sseclient_cli.sse.event import Event


class Written:
    """A sink that keeps each write."""

    encoding = "ascii"

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def begin(self) -> None:
        self.writes.clear()

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def __call__(self) -> bytes:
        return b"".join(self.writes)


def event(*pieces: str, kind: ChunkKind = ChunkKind.CONTENT) -> Event:
    return TextEvent.of(Event("message", "", ""), [Chunk(kind, piece) for piece in pieces])


def view_of(sink: Written, *, is_terminal: bool = False, ends_line: bool = True) -> TextView:
    answer = AnswerText(is_escaped=is_terminal, is_styled=is_terminal)
    return TextView(answer, verbatim=not is_terminal, ends_line=ends_line, sink=sink)


def test_text_is_joined_and_a_line_end_is_added_at_the_end() -> None:
    sink = Written()
    with view_of(sink) as view:
        view.events([event("H", "e"), Event("message", "not text", "")])
        view.events([event("é")])
        view.flush()
        assert sink.writes == ["Heé".encode()]
    assert sink() == "Heé\n".encode()


@pytest.mark.parametrize(("text", "ends_line", "written"), [("a\n", True, b"a\n"), ("a", False, b"a"), ("", True, b"")])
def test_a_line_end_is_added_only_where_it_is_missing(text: str, ends_line: bool, written: bytes) -> None:
    sink = Written()
    with view_of(sink, ends_line=ends_line) as view:
        view.events([event(text)])
    assert sink() == written


def test_after_an_error_nothing_is_written() -> None:
    sink = Written()
    with pytest.raises(OSError, match="full"), view_of(sink) as view:
        view.events([event("a")])
        raise OSError("full")
    assert sink() == b""


def test_on_a_terminal_text_is_escaped_and_reasoning_is_dim() -> None:
    sink = Written()
    with view_of(sink, is_terminal=True) as view:
        view.events([event("\x1b[2J", kind=ChunkKind.REASONING), event("so\n", kind=ChunkKind.REASONING), event("é")])
    assert sink() == b"\x1b[2m\\x1b[2J\x1b[22m\x1b[2mso\n\x1b[22m\n\n\\xe9\n"


def test_messages_stand_on_a_line_of_their_own_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    sink = Written()
    waiting = StateChange(ConnectionState.WAITING, "the server ended the stream", delay_s=1)
    with view_of(sink, is_terminal=True) as view:
        view.events([event("a")])
        view.note("first")
        view.events([event("b")])
        view.state(StateChange(ConnectionState.CONNECTING, ""), 0, 0, reopened=False)
        view.state(waiting, 0, 0, reopened=True)
        view.events([event("c")])
        view.behind(5, 0)
        view.events([event("d")])
        view.behind(5, 0)
        view.events([event("e")])
        view.behind(0, 0)
        view.events([event("f")])
    assert sink() == b"a\nb\nc\nde\nf\n"
    first, _, behind, caught_up = capfd.readouterr().err.splitlines()
    assert first == "first"
    assert "5.0 s behind" in behind
    assert caught_up.endswith(" caught up")


def test_messages_do_not_change_the_text_for_a_program(capfd: pytest.CaptureFixture[str]) -> None:
    sink = Written()
    with view_of(sink) as view:
        view.events([event("a")])
        view.note("note")
        view.comment("ping", 0)
        view.events([event("b")])
    assert sink() == b"ab\n"
    assert capfd.readouterr().err == "note\n"


def test_a_file_is_truncated_when_the_stream_opens() -> None:
    sink = Written()
    sink.write(b"old")
    with view_of(sink) as view:
        view.state(StateChange(ConnectionState.OPEN, ""), 0, 0, reopened=False)
        view.events([event("a")])
    assert sink() == b"a\n"
