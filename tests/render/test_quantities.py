import pytest

from sseclient_cli.render.quantities import counted, duration, percent, size


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0.09, "0.09 ms"), (9.99, "9.99 ms"), (9.996, "10 ms"), (900, "900 ms"), (999.6, "1.00 s"), (9_994, "9.99 s"),
        (9_996, "10.0 s"), (60_000, "60.0 s"), (3_600_000, "3,600.0 s"),
    ],
)  # fmt: skip
def test_a_duration_has_the_unit_that_keeps_it_short(ms: float, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (999.4, "999 bytes"), (1_000, "1.00 kB"), (55_262, "55.3 kB"),
        (999_499, "999 kB"), (999_500, "1.00 MB"), (2_400_000, "2.40 MB"), (9_996_000, "10.0 MB"), (5e15, "5,000 TB"),
    ],
)  # fmt: skip
def test_bytes_have_three_digits(count: float, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0 %"), (1, "100 %"), (0.0001, "<0.1 %"), (0.99999, ">99.9 %"), (0.012, "1.2 %"), (0.537, "54 %"),
        (0.0996, "10 %"), (0.994, "99.4 %"), (0.9896, "99 %"),
    ],
)  # fmt: skip
def test_only_an_exact_share_is_shown_as_nothing_or_all(share: float, words: str) -> None:
    assert percent(share) == words


def test_one_is_singular() -> None:
    assert (counted(1, "stream"), counted(2_000, "stream"), counted(0, "stream")) == (
        "1 stream",
        "2,000 streams",
        "0 streams",
    )
