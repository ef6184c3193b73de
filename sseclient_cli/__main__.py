"""``python -m sseclient_cli`` is ``sse``, and this is where ``sse`` begins."""

from __future__ import annotations

import sys

from sseclient_cli.errors import EXIT_INTERRUPTED


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported is no traceback either."""
    try:
        from sseclient_cli import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
