"""Exit codes of the commands, except 0, and 2 for a wrong usage. ``docs/reference/exit-codes.md`` has all of them."""

from __future__ import annotations

EXIT_UNMET = 1
"""Exit code of ``sse watch`` when an expected event did not arrive, or an error event did, and of ``sse bench`` when an
assertion failed."""

EXIT_NO_USABLE_STREAM = 3
"""Exit code of ``sse bench`` when no stream opened, errors ended all streams before any event, or no event could be
published; of any command that got no stream."""

EXIT_SATURATED = 4
"""Exit code of ``sse bench --strict`` when the load generator was the bottleneck."""

EXIT_INCOMPLETE = 5
"""Exit code of ``sse bench`` when a worker was lost, and with it a part of the report."""

EXIT_FAILED_STREAMS = 6
"""Exit code of ``sse bench`` when more streams failed, or broke with an error, than ``--strict`` or ``--max-failed``
allow, or when an error event arrived with ``--fail-on-error-event``."""

EXIT_INTERRUPTED = 130
"""Exit code of a command after Ctrl-C: 128 plus the number of SIGINT, as in shells."""
