"""Fuzz the code that reads a server's bytes, guided by coverage (atheris, libFuzzer).

    make fuzz SECONDS=600                                    # each target for ten minutes, one after the other
    .venv/bin/python tests/fuzz event_stream --seconds 0     # one, until Ctrl-C or until something is found
    .venv/bin/python tests/fuzz event_stream --finding build/fuzz/event_stream/crash-...     # that one again

Useful inputs are kept in build/fuzz/TARGET/corpus, and the next run starts from them. A finding ends the run with an
exit code that is not 0 and is written beside the corpus: crash-..., timeout-... or oom-... Add a test for each fixed
finding. Unknown arguments go to libFuzzer (-max_len=65536, -seed=1, -help=1). atheris has wheels for Linux on
x86-64 and Python 3.11 to 3.13; `make fuzz` installs it, and nothing else needs it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGETS = ["event_stream", "response"]
TIMEOUT_S = 30
"""Whatever takes so long, of a few KiB, is found: 1,000 times as long as it should be, on a machine that has others."""


def main() -> None:
    """Run one target."""
    parser = argparse.ArgumentParser(
        prog="tests/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600, help="for how long; 0: without end (default: %(default)s)")
    parser.add_argument("--finding", type=Path, help="a file that a run has left: check it alone")
    options, libfuzzer = parser.parse_known_args()
    try:
        import atheris
    except ImportError:
        parser.error("atheris is not installed: `make fuzz` does that")
    sys.path.insert(0, str(HERE.parent))  # where the reference is
    with atheris.instrument_imports(include=["sseclient_cli"]):
        target = importlib.import_module(f"fuzz_{options.target}")
    folder = HERE.parent.parent / "build/fuzz" / options.target
    flags = [
        f"-max_total_time={options.seconds}", f"-timeout={TIMEOUT_S}", "-print_final_stats=1", "-max_len=4096",
        f"-artifact_prefix={folder}/", f"-dict={folder}/words",
    ]  # fmt: skip
    corpus = options.finding or folder / "corpus"
    prepare(folder, target.seeds(), target.WORDS)
    atheris.Setup([sys.argv[0], *flags, *libfuzzer, str(corpus)], target.check)
    atheris.Fuzz()


def prepare(folder: Path, seeds: Iterable[bytes], words: Iterable[bytes]) -> None:
    """Write the input of libFuzzer: the corpus, a file for each, and its dictionary."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        corpus.joinpath(hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words)
    folder.joinpath("words").write_text("".join(lines), "ascii")


if __name__ == "__main__":
    main()
