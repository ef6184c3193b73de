"""The words and due times of the demo's language model: no server, no clock."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from demo_server.llm.sentences import due_s, words


def test_words_form_sentences() -> None:
    text = "".join(islice(words(3), 100))
    assert text == " ".join(text.split())
    assert len(text.split()) == 100
    assert text[0].isupper()


def test_words_and_times_depend_only_on_the_seed() -> None:
    assert list(islice(words(5), 500)) == list(islice(words(5), 500)) != list(islice(words(6), 500))
    times_s = [list(islice(due_s(0.3, 0.02, 0.5, seed), 500)) for seed in (5, 5, 6)]
    assert times_s[0] == times_s[1] != times_s[2]
    # Equal in every Python version and run, so that reports can be compared.
    assert "".join(islice(words(1), 5)) == "A comment now and then"
    assert [round(time_s, 6) for time_s in islice(due_s(0, 1, 1, 1), 3)] == [0, 1.069374, 2.003902]


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
def test_jitter_is_a_share_of_the_interval_and_does_not_accumulate(jitter: float) -> None:
    times_s = list(islice(due_s(0.3, 0.02, jitter, 9), 10_000))
    late_s = [time_s - 0.3 - number * 0.02 for number, time_s in enumerate(times_s)]
    gaps_s = [later - earlier for earlier, later in pairwise(times_s)]
    assert times_s[0] == 0.3
    assert min(late_s) >= -1e-9
    assert max(late_s) == pytest.approx(jitter * 0.02, abs=0.0001)
    assert min(gaps_s) == pytest.approx((1 - jitter) * 0.02, abs=0.001)
    assert max(gaps_s) == pytest.approx((1 + jitter) * 0.02, abs=0.001)
