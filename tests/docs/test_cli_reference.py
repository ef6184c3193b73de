"""The reference of the command line is that of the commands; see tests/report/test_reference.py for the report's."""

import re

import pytest

from sseclient_cli.cli.reference import PAGE_PATH, page_text


def test_the_page_of_the_command_line_is_that_of_the_commands() -> None:
    assert PAGE_PATH.read_text("utf-8") == page_text(), "run `make reference`"


@pytest.mark.parametrize("command", ["watch", "bench", "demo"])
def test_each_command_has_a_section_and_each_option_a_meaning(command: str) -> None:
    section = page_text().partition(f"\n## sse {command}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?:`|<code>)(.+?)(?:`|</code>) \| (.*) \|$", section, re.MULTILINE)
    assert any(option.startswith("--workers" if command != "watch" else "--raw") for option, _ in rows)
    assert [option for option, meaning in rows if not meaning[:1].isupper()] == []
