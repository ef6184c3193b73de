"""``sse check``: examine one endpoint, and judge it check by check."""
