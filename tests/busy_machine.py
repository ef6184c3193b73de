"""The time that tests allow a busy machine: they assert that something ends, and in which order, not how fast."""

LATE_S = 8.0
"""The allowed delay compared to a quiet machine. A client that hangs waits for a minute or more."""
