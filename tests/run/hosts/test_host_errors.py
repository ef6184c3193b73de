"""One error of those of several machines: its text, and the facts that advice and exit codes depend on."""

import pickle
from importlib import import_module

import pytest

from sseclient_cli.cli.advice import line_of
from sseclient_cli.cli.bench import bench
from sseclient_cli.errors import BadStatusError, LimitError, NameNotResolvedError, SseError, UsageError
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
    first.values = {"seconds": 7}
    made = on_hosts({"a": first, "b": dns()}, 2)
    for same in (made, pickle.loads(pickle.dumps(made))):
        assert isinstance(same, BadStatusError)
        assert (same.kind, same.exit_code, same.code) == ("http-503", 3, "sent-once")
        assert (same.values, same.status, same.body) == ({"seconds": 7}, 503, b"busy")
        assert same.headers == {"retry-after": "7"}
        assert str(same) == f"on a: no; on b: {DNS}"


def test_notes_stay_with_their_machine_and_the_errors_unchanged() -> None:
    import_module("tblib.pickling_support").install(LimitError)  # as Dask does; without types
    first, second = full(7), full(7)
    first.add_note("it is the soft limit")
    made = on_hosts({"a": first, "b": second}, 2)
    made.add_note("of the whole run")
    words = "7 connections exceed the limit"
    assert str(made) == f"on a: {words}; it is the soft limit; on b: {words}"
    assert made.__notes__ == ["of the whole run"]
    assert (str(first), first.__notes__) == (words, ["it is the soft limit"])


def test_options_that_any_machine_names_are_named() -> None:
    made = on_hosts({"a": full(7), "b": UsageError("`source_address` is wrong", arguments=["source_address"])}, 2)
    assert made.arguments == ("connections", "source_address")
    assert "; on b: --source-address is wrong" in line_of(made, bench)
