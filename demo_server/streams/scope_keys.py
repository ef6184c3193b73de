"""Keys under which the server passes data through the ASGI scope."""

TRANSPORT_EXTENSION = "demo_server.transport"
"""Under "extensions": the transport of the connection, set by connections/protocols.py."""

STREAM_MARK = "demo_server.is_stream"
"""Set on requests that opened a stream; the access log leaves these out by default."""

ARRIVAL_EXTENSION = "demo_server.arrival"
"""Under "extensions": when the complete request arrived, set by connections/http_protocol.py."""

DIRECT_BYTES = "demo_server.direct_bytes"
"""The number of bytes of a body that were written to the transport, not sent through ASGI; for the access log."""
