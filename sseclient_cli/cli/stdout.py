"""Where stdout leads: to a pipe whose reader may go away."""

from __future__ import annotations

import sys


def is_writing_end_of_pipe(number: int) -> bool:
    """Return whether a file descriptor is the end of a pipe that is written to."""
    import os
    import stat

    if sys.platform == "win32" or not stat.S_ISFIFO(os.fstat(number).st_mode):
        return False  # Windows cannot watch a pipe
    import fcntl

    # Open for both (`1<>fifo`), it is readable whenever there is something in it.
    return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
