"""Reports in the formats of other programs. Each is a pure function of the report."""
