"""The words of each finding, by subject."""
