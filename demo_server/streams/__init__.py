"""The parts that all streams share: parameters, pacing, shutdown, event encoding and ASGI messages."""
