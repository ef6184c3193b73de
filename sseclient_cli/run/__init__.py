"""A run: its plan, its streams, its workers."""
