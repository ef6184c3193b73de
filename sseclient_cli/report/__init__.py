"""What a run found: the document, and everything that is rendered from it."""
