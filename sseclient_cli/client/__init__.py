"""One stream, for a person or a program."""
