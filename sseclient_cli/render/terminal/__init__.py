"""The summary and the live view of a run."""
