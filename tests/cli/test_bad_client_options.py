"""The options of bad clients: their values, and what they exclude."""

import pytest
import typer
from in_process import InProcess

from sseclient_cli.cli.options.bad_clients import BadClientOptions, Slow, parse_share, parse_slow
from sseclient_cli.measure.bad_kind import BadKind
from sseclient_cli.run.bad_clients import Share


def test_a_share_is_a_percentage_or_a_count() -> None:
    assert parse_share("5%") == Share(5, is_percent=True)
    assert parse_share("0.5 %") == Share(0.5, is_percent=True)
    assert parse_share("1k") == Share(1_000, is_percent=False)
    assert [str(parse_share(text)) for text in ("5%", "0.5%", "12")] == ["5%", "0.5%", "12"]


def test_the_speed_of_a_slow_client_is_a_size_per_second() -> None:
    for text in ("5%:1kB/s", "5%:1k", "5%: 1024B/s"):
        assert parse_slow(text) == Slow(Share(5, is_percent=True), 1024)


@pytest.mark.parametrize("text", ["", "x", "5%:", "5%", "5%:0", "5%:1 mile", ":1k", "-1:1k"])
def test_a_wrong_value_shows_how_to_write_it(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write it like"):
        parse_slow(text)


def test_the_plan_has_the_kinds_in_one_order() -> None:
    one = Share(1, is_percent=False)
    made = BadClientOptions(half_request=one, slow=Slow(one, 5)).bad_clients(1, 31)
    assert made is not None
    assert made.shares == ((BadKind.SLOW, one), (BadKind.HALF_REQUEST, one))
    assert (made.at_s, made.slow_bytes_per_s) == (11, 5)
    assert BadClientOptions(bad_at_s=3).bad_clients(1, 31) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--slow", "5%"], "--slow: '5%' has no speed: write it like 5%:1kB/s or 10:500B/s"),
        (["--vanish", "x"], "--vanish: 'x' is not a share of the streams: write it like 5% or 20"),
        (["--vanish", "100%"], "--vanish of 100% must be above 0 and below all 10 streams"),
        (["--abrupt", "60%", "--half-request", "40%"], "bad clients (--abrupt, --half-request) would leave no good"),
        (["--vanish", "1", "--storm", "3s"], "--vanish and --storm exclude each other"),
        (["--slow", "1:1k", "--find-limit", "delivery.p99 < 1s"], "--slow and --find-limit exclude each other"),
        (["--abrupt", "1", "--unix-socket", "/s"], "--abrupt and --unix-socket exclude each other"),
        (["--bad-at", "3s"], "--bad-at needs bad clients"),
        (["--abrupt", "1", "--bad-at", "10s"], "at 10 s (--bad-at), which is not within a run of 10 s"),
    ],
)
def test_options_that_do_not_fit_are_one_line_and_no_run(
    sse_in_process: InProcess, options: list[str], words: str
) -> None:
    code, stdout, stderr = sse_in_process("bench", "http://127.0.0.1:9/", "-n", "10", *options)
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1
