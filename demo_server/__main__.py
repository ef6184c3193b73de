"""The command ``python -m demo_server``: its options, and errors in one line."""

from __future__ import annotations

import argparse
import sys

import demo_server

USAGE_EXIT_CODE = 2  # like argparse


def main() -> None:
    """Parse the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m demo_server", description="A server that streams events.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=parse_port, default=8000, help="0 selects a free port (default: %(default)s)")
    parser.add_argument("--workers", type=parse_workers, default=1, help="number of processes (default: %(default)s)")
    parser.add_argument(
        "--access-log",
        choices=[which.value for which in demo_server.AccessLog],
        default=demo_server.AccessLog.REQUESTS.value,
        help="log requests as JSON lines on stderr; 'all' includes streams (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        dest="allow_hosts",
        help="also accept this name in the Host header; * accepts all; repeatable",
    )
    parser.add_argument(
        "--exit-on-stdin-eof",
        action="store_true",
        help="stop at the end of stdin, and so with the process that started the server",
    )
    fan_out = parser.add_mutually_exclusive_group()
    fan_out.add_argument(
        "--redis", default="", metavar="URL", dest="redis_url", help="share channels with all servers at this Redis"
    )
    fan_out.add_argument(
        "--separate-channels", action="store_true", help="do not share channels between workers: events get lost"
    )
    options = vars(parser.parse_args())
    options["access_log"] = demo_server.AccessLog(options["access_log"])
    options["allow_hosts"] = tuple(options["allow_hosts"])
    try:
        demo_server.run(demo_server.Options(**options))
    except OSError as exc:
        sys.stderr.write(f"demo server: {exc.strerror}\n")
        sys.exit(USAGE_EXIT_CODE)
    except demo_server.RedisUnusableError as exc:
        sys.stderr.write(f"demo server: {exc}\n")
        sys.exit(USAGE_EXIT_CODE)
    except demo_server.WorkerLostError as exc:
        sys.exit(f"demo server: {exc}")


def parse_port(text: str) -> int:
    """Return the port, or raise an error for argparse."""
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: use 0 to 65535")
    return int(text)


def parse_workers(text: str) -> int:
    """Return the number of workers, or raise an error for argparse."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= demo_server.MAX_WORKERS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of workers: use 1 to {demo_server.MAX_WORKERS}")
    return int(text)


if __name__ == "__main__":
    main()
