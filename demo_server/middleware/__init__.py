"""ASGI middleware and checks: access log, Host header, origins of pages."""
