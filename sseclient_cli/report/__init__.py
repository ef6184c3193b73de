"""The JSON report of a run: its model, how it is built, merged, read and written, and the findings in it."""
