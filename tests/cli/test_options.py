import pytest
import typer

from sseclient_cli.cli.options import parse_size_bytes


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("1", 1),
        ("1500000", 1_500_000),
        ("64k", 65_536),
        ("64K", 65_536),
        ("16MiB", 2**24),
        ("2G", 2**31),
        (" 8kb ", 8192),
    ],
)
def test_a_size_is_a_number_of_bytes_or_of_powers_of_1024(text: str, size_bytes: int) -> None:
    assert parse_size_bytes(text) == size_bytes


@pytest.mark.parametrize("text", ["", "0", "0k", "-1", "1.5M", "large", "1T", "9" * 400])
def test_what_is_no_size_above_zero_is_an_error_that_shows_how_to_write_one(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write it like 64k, 16M or 1500000"):
        parse_size_bytes(text)
