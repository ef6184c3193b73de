def watch() -> None:
    """TODO."""
