"""A run: its plan, its stream pools, its workers and their coordinator."""
