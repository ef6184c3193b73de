import pytest
import typer

from sseclient_cli.cli.options.cluster import parse_cluster
from sseclient_cli.cli.options.values import parse_count, parse_duration_s, parse_percent, parse_size_bytes


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
def test_an_invalid_size_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write it like 64k, 16M or 1500000"):
        parse_size_bytes(text)


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [("1m30s", 90), ("1h1m1s500ms", 3661.5), ("500ms", 0.5), ("2.5", 2.5), (".5m", 30), (" 10s ", 10), ("0", 0)],
)
def test_a_time_may_have_several_units(text: str, duration_s: float) -> None:
    assert parse_duration_s(text) == pytest.approx(duration_s)


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1m30", "1m 30s", "s", "10sec", "1_0s", "nan"])
def test_an_invalid_time_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="10s, 500ms, 2m, 1h or 1m30s"):
        parse_duration_s(text)


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("500", 500), ("1k", 1000), ("20K", 20_000), ("2M", 2_000_000)])
def test_a_count_may_have_thousands(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "0", "0k", "-1", "1.5k", "1g", "many", "9" * 400])
def test_an_invalid_count_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="500, 1k or 2M"):
        parse_count(text)


@pytest.mark.parametrize(("text", "percent"), [("5%", 5), ("0.5", 0.5), ("0", 0), ("100 %", 100)])
def test_a_percentage_may_have_its_sign(text: str, percent: float) -> None:
    assert parse_percent(text) == percent


@pytest.mark.parametrize("text", ["", "%", "101%", "-1", "some", "5%%"])
def test_an_invalid_percentage_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"5% or 0\.5%"):
        parse_percent(text)


@pytest.mark.parametrize("text", ["tcp://node-1:8786", "tls://[2001:db8::1]:65535", "local:1", "local:64"])
def test_a_cluster_is_the_address_of_its_scheduler_or_a_number_of_processes(text: str) -> None:
    assert parse_cluster(text) == text


@pytest.mark.parametrize(
    "text", ["local:0", "local:65", "h:1", "http://h:1", "tcp://h", "tcp://h:65536", "tcp://a b:1"]
)
def test_an_invalid_cluster_is_an_error_with_its_forms(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write tcp://HOST:PORT or tls://HOST:PORT of its scheduler"):
        parse_cluster(text)
