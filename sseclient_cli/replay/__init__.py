"""Serve a recording as an event stream."""
