"""Golden files: the expected output of a terminal, in a file beside the test.

``golden("summary", text)`` compares the text with ``golden/summary.txt`` in the folder of the test. After a change of
the output, ``pytest --update-golden`` writes the files; review their diff like code.
"""

from __future__ import annotations

from pathlib import Path


class Golden:
    """Compares text with the golden files of one folder, or writes them."""

    def __init__(self, folder: Path, *, update: bool) -> None:
        self._folder = folder
        self._update = update

    def __call__(self, name: str, text: str) -> None:
        """Fail unless the text is that of the file. Spaces at the ends of lines do not count."""
        shown = "".join(f"{line.rstrip()}\n" for line in text.split("\n")).rstrip("\n") + "\n"
        path = self._folder / f"{name}.txt"
        if self._update:
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run pytest --update-golden"
        assert shown == path.read_text("utf-8"), f"{path} differs: review, then run pytest --update-golden"
