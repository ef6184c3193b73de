"""One error of those of several machines: its text, and the facts that advice and exit codes depend on."""

import pickle

import pytest

from sseclient_cli.errors import BadStatusError, LimitError, NameNotResolvedError, SseError
from sseclient_cli.run.hosts.host_errors import on_hosts

DNS = "the host name of h:80 has no address: check its spelling"


def dns() -> SseError:
    return NameNotResolvedError(DNS)


def full(count: int) -> SseError:
    return LimitError(f"{count} connections exceed the limit", code="open-files", arguments=["connections"])


@pytest.mark.parametrize(
    ("errors", "hosts", "text"),
    [
        ({"a": dns(), "b": dns()}, 2, f"on all 2 machines: {DNS}"),
        ({"a": dns()}, 1, f"on a: {DNS}"),
        ({"a": dns(), "c": dns()}, 3, f"on a, c: {DNS}"),
        ({name: dns() for name in "abcde"}, 9, f"on a, b, c and 2 more: {DNS}"),
        ({"a": dns(), "b": full(7), "c": dns()}, 3, f"on a, c: {DNS}; on b: 7 connections exceed the limit"),
        (
            {name: full(number) for number, name in enumerate("abcde")},
            5,
            "on a: 0 connections exceed the limit; on b: 1 connections exceed the limit; "
            "on c: 2 connections exceed the limit; 2 more machines have other errors",
        ),
    ],
)
def test_a_common_message_is_said_once_and_others_name_their_machines(
    errors: dict[str, SseError], hosts: int, text: str
) -> None:
    assert str(on_hosts(errors, hosts)) == text


def test_the_error_is_otherwise_that_of_the_first_machine() -> None:
    first = BadStatusError("no", status=503, headers={"retry-after": "7"}, body=b"busy", code="sent-once")
    first.arguments, first.values = ("target",), {"seconds": 7}
    first.add_note("the next request would be late")
    made = on_hosts({"a": first, "b": dns()}, 2)
    for same in (made, pickle.loads(pickle.dumps(made))):
        assert isinstance(same, BadStatusError)
        assert (same.kind, same.exit_code, same.code) == ("http-503", 3, "sent-once")
        assert (same.arguments, same.values, same.status, same.body) == (("target",), {"seconds": 7}, 503, b"busy")
        assert (same.headers, same.__notes__) == ({"retry-after": "7"}, ["the next request would be late"])
        assert str(same) == f"on a: no; on b: {DNS}"
    assert str(first) == "no"
