"""Listening sockets, uvicorn's protocols with timeouts, and the limit of open files."""
