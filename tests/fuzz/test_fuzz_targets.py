"""The fuzz targets, without atheris: on the fuzzer's initial corpus, and on inputs of hypothesis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import fuzz_event_stream
import fuzz_response
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import MAX_SIZES, composed, taken

TARGETS = pytest.mark.parametrize("target", [fuzz_event_stream, fuzz_response], ids=["event_stream", "response"])


@TARGETS
def test_a_target_finds_nothing_in_the_initial_inputs_of_the_fuzzer(target: ModuleType) -> None:
    seeds = list(target.seeds())
    assert len(seeds) > 20
    for seed in seeds:
        target.check(seed)


@TARGETS
@given(data=st.binary(max_size=100))
def test_a_target_takes_any_bytes(target: ModuleType, data: bytes) -> None:
    target.check(data)


@given(st.integers(0, 255), st.lists(st.integers(0, 255), max_size=MAX_SIZES), st.binary())
def test_a_seed_is_used_unchanged(option: int, sizes: list[int], rest: bytes) -> None:
    found, pieces = taken(composed(option, sizes, rest))
    assert found == option
    assert b"".join(pieces) == rest
    assert all(len(piece) <= size for piece, size in zip(pieces, sizes, strict=False))


def test_the_help_says_how_to_run_a_target() -> None:
    command = [sys.executable, str(Path(__file__).parent), "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "{event_stream,response}" in text
    assert "--seconds" in text
