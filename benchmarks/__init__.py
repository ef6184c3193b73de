"""Measures the cost of `sse bench` against a minimal C reader and against other readers."""
