"""``python -m sseclient_cli`` is ``sse``."""

from sseclient_cli.cli import main

if __name__ == "__main__":
    main()
