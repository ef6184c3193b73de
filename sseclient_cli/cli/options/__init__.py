"""The options of the commands, each declared once: a frozen dataclass for each panel of ``--help``."""
