from __future__ import annotations

import io

import pytest

from sseclient_cli.request.body import read_body


def test_each_url_of_a_command_gets_the_body_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"first")))
    assert [read_body("@-"), read_body("@-")] == ["first", "first"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"second")))
    assert read_body("@-") == "second"
