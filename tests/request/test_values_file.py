"""Files with values for streams, and the errors for unusable ones."""

from pathlib import Path

import pytest

from sseclient_cli.errors import UsageError
from sseclient_cli.request.values_file import Columns, read_values


def _read(tmp_path: Path, content: str | bytes) -> Columns:
    file = tmp_path / "values"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_values(str(file))


def test_csv_columns_have_their_values_in_order(tmp_path: Path) -> None:
    text = '\ufefftoken, user\r\nabc,"Smith, ""J."""\r\n\r\n"two\nlines",\u2028\r\n'
    assert _read(tmp_path, text) == {"token": ("abc", "two\nlines"), "user": ('Smith, "J."', "\u2028")}


def test_json_lines_have_strings_as_they_are_and_other_values_as_json(tmp_path: Path) -> None:
    text = '{"p": "é\\u2028", "k": 7, "m": [{"a": null}]}\n\n{"m": true, "k": 1.5, "p": ""}\n'
    assert _read(tmp_path, text) == {"p": ("é\u2028", ""), "k": ("7", "1.5"), "m": ('[{"a":null}]', "true")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "has no values", id="empty"),
        pytest.param("token\n", "has no values", id="only names"),
        pytest.param("a,b\n1,2\n3\n", "line 3: 1 values for 2 columns (a, b)", id="short row"),
        pytest.param("a,a\n1,2\n", "two columns have the same name", id="same name"),
        pytest.param("a b\n1\n", "no column that can be a placeholder", id="name with a space"),
        pytest.param('a\n"1\n', "line 2: unexpected end of data", id="open quote"),
        pytest.param('{"a": 1}\n{"a": \n', "line 2: not JSON", id="broken JSON"),
        pytest.param('{"a": 1}\n[1]\n', "line 2: not a JSON object", id="JSON list"),
        pytest.param(b"a\nok\n\xff\n", "line 3: the text is not UTF-8", id="not UTF-8"),
    ],
)
def test_unusable_file_is_an_error_that_names_the_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        _read(tmp_path, content)
    assert message in str(raised.value)


def test_missing_value_and_unusable_name_do_not_hide_the_rest(tmp_path: Path) -> None:
    assert _read(tmp_path, '{"a": 1, "b c": 2}\n{"b": 3}\n') == {"a": ("1", None), "b": (None, "3")}


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_values(str(tmp_path / "none.csv"))
