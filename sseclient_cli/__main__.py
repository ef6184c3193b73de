"""Entry point of ``sse`` and of ``python -m sseclient_cli``."""

from __future__ import annotations

import os
import sys

from sseclient_cli.exit_codes import EXIT_INTERRUPTED

# httpcore (1.0) imports trio if it is installed. The command runs on asyncio, and startup without trio takes a quarter
# less CPU. Worker processes also import this module.
sys.modules.setdefault("trio", None)  # type: ignore[arg-type]
# httpx (0.28) imports its own command line, with click and pygments, where they are installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def main() -> None:
    """Run the command line. Ctrl-C exits without a traceback, also during the import."""
    # For child processes: without it, Python searches the current directory for modules first, and would run a json.py
    # that happens to be there.
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        from sseclient_cli import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
