"""What tests allow a busy machine: they assert that something ends, and in which order, not how fast."""

LATE_S = 8.0
"""So much later than on a quiet machine something may end. What would hang waits for a minute or for ever."""
