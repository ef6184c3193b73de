"""The public API is typed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import sseclient_cli

ROOT = Path(__file__).parents[2]


def mypy(*arguments: str) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_the_type_checker_accepts_correct_calls_and_rejects_wrong_ones() -> None:
    assert mypy("tests/public_types.py").startswith("Success")


def test_every_public_name_and_attribute_is_checked() -> None:
    nodes = list(ast.walk(ast.parse((ROOT / "tests/public_types.py").read_text("utf-8"))))
    checked = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    public = {name: getattr(sseclient_cli, name) for name in sseclient_cli.__all__}
    assert set(public) <= {node.id for node in nodes if isinstance(node, ast.Name)}
    del public["Target"]  # `parse` makes one; the clients alone read its attributes
    for name, cls in public.items():
        inherited = set(dir(Exception)) | set(dir(tuple))
        assert {attribute for attribute in dir(cls) if attribute[0] != "_"} - inherited - checked == set(), name


def test_the_type_checker_reports_an_error(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from sseclient_cli import SyncEventSource\n\nnumber: int = SyncEventSource('http://a/').url\n")
    assert "[assignment]" in mypy(str(wrong))
