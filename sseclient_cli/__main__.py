"""``python -m sseclient_cli`` is ``sse``, and this is where ``sse`` begins."""

from __future__ import annotations

import os
import sys

from sseclient_cli.errors import EXIT_INTERRUPTED

# httpcore (1.0) imports trio where it is installed, and the command runs on asyncio: without trio, a start takes a
# quarter less CPU. Workers import this module, too.
sys.modules.setdefault("trio", None)  # type: ignore[arg-type]
# httpx (0.28) imports its own command line, with click and pygments, where they are installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported is no traceback either."""
    # For the processes that a command starts: without it, Python looks for modules in the current directory first, and
    # a json.py of that directory would be run.
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        from sseclient_cli import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
