"""The specification's rules for a client, checked with our clients and with a browser's."""
