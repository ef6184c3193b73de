"""The engine of a stream: sockets, HTTP/1.1, connections, redirects. It computes no statistics."""
