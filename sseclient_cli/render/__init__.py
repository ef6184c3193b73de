"""The report and the events of a stream, in words and on a terminal."""
