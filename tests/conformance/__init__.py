"""What the specification says of a client, put to ours and to a browser's."""
