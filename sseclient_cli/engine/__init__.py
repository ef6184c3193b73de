"""The machinery of one stream: sockets, HTTP, connections, redirects. It knows no figures."""
