"""Many streams at once, measured."""
