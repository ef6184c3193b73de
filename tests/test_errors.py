from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from sseclient_cli import errors
from sseclient_cli.errors import (
    BadStatusError,
    SseError,
    UnexpectedResponseError,
    UsageError,
    WrongContentTypeError,
)

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SseError)]


def made(error_class: type[SseError]) -> SseError:
    if issubclass(error_class, UnexpectedResponseError):
        return error_class("it said no", status=503, headers={"retry-after": "7"})
    return error_class("it said no")


@pytest.mark.parametrize("error_class", CLASSES)
@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))],
    ids=["copy", "deep", "pickle"],
)
def test_every_error_can_be_copied_and_sent_to_another_process(
    error_class: type[SseError], copied: Callable[[SseError], SseError]
) -> None:
    error = made(error_class)
    twin = copied(error)
    assert type(twin) is error_class
    assert (str(twin), twin.args, twin.kind) == ("it said no", ("it said no",), error.kind)
    assert getattr(twin, "status", None) == getattr(error, "status", None)
    assert getattr(twin, "headers", None) == getattr(error, "headers", None)


@pytest.mark.parametrize("error_class", CLASSES)
def test_code_arguments_values_and_notes_reach_another_process(error_class: type[SseError]) -> None:
    error = made(error_class)
    error.code, error.arguments, error.values = "some-cause", ("timeout_s",), {"seconds": 5}
    error.add_note("late")
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (twin.code, twin.arguments, twin.values) == ("some-cause", ("timeout_s",), {"seconds": 5})
        assert twin.__notes__ == ["late"]


def test_code_arguments_and_values_are_empty_unless_given() -> None:
    error = UsageError("it makes no sense")
    assert (error.code, error.arguments, error.values) == ("", (), {})
    error = UsageError("it makes no sense", code="some-cause", arguments=["a", "b"], values={"c": 1})
    assert (error.code, error.arguments, error.values) == ("some-cause", ("a", "b"), {"c": 1})


def test_the_text_of_an_error_is_its_message_alone() -> None:
    assert str(BadStatusError("it said no", status=503)) == "it said no"
    assert repr(BadStatusError("it said no", status=503)) == "BadStatusError('it said no')"


def test_no_two_classes_share_a_kind() -> None:
    kinds = [error_class.kind for error_class in CLASSES if error_class is not BadStatusError]
    assert sorted(kinds) == sorted(set(kinds))
    assert BadStatusError("", status=404).kind == "http-404"


def test_headers_are_an_immutable_copy() -> None:
    given = {"a": "1"}
    error = WrongContentTypeError("", status=200, headers=given)
    given["a"] = "2"
    assert error.headers == {"a": "1"}
    with pytest.raises(TypeError):
        error.headers["a"] = "3"  # type: ignore[index]
