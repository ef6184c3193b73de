"""The views of ``sse watch``."""
