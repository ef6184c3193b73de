"""The options of the commands, each declared once: a frozen dataclass for each panel of ``--help``.

An option that is not given is None, or False for a flag: no value that a user can give, so that ``--from`` can tell.
"""
