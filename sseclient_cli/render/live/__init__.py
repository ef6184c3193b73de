"""The live view of a run: what it has seen so far, the panel that shows it, and the screen."""
