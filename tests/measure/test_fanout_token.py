import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from sseclient_cli.measure.fanout_token import MAX_NUMBER, TokenReader, token_of

TOKEN = token_of("0a1b2c3d", 17, 123_456_789)


def read(data: str, run_id: str = "0a1b2c3d") -> list[tuple[int, int]]:
    return list(TokenReader(run_id).read(data))


@given(st.integers(1, MAX_NUMBER), st.integers(0, 2**63 - 1), st.text(), st.text())
def test_a_token_is_found_in_any_text(number: int, sent_ns: int, before: str, after: str) -> None:
    assert (number, sent_ns) in read(before + token_of("0a1b2c3d", number, sent_ns) + after)


def test_all_tokens_have_one_length_so_that_the_size_of_a_body_is_known_before_its_time() -> None:
    assert len(token_of("0a1b2c3d", 1, 0)) == len(token_of("0a1b2c3d", MAX_NUMBER, 2**63 - 1))


def test_encodings_of_servers_leave_a_token_unchanged() -> None:
    nested = json.dumps({"message": json.dumps({"token": TOKEN})})
    assert read(nested) == read(quote(TOKEN, safe="")) == [(17, 123_456_789)]


def test_an_event_may_carry_several_tokens_and_repeat_one() -> None:
    other = token_of("0a1b2c3d", 18, 5)
    assert read(f"{TOKEN},{other},{TOKEN}") == [(17, 123_456_789), (18, 5)]


def test_tokens_of_other_runs_and_parts_of_a_token_are_ignored() -> None:
    assert read(TOKEN, "ffffffff") == []
    assert read(TOKEN[:-1]) == []
    assert read(TOKEN.replace("0000017", "00000x7")) == []
    assert read(f"{TOKEN[:20]}{TOKEN}") == [(17, 123_456_789)]
