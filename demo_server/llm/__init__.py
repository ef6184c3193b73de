"""Answers of a language model: tokens, due times and faults (pure), an encoder per API, and the log of the requests."""
