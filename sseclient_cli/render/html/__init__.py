"""The HTML page of a document: one file, without requests to any other."""
