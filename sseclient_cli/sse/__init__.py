"""The protocol rules, without any I/O: bytes and integers in, values out."""
