"""The output file of a run: checked before the run, replaced atomically after it.

A run may take hours, so neither its result nor the previous file may be lost. The result is written to a temporary file
in the same folder, which then replaces the old one. If that is not possible (the folder is not writable, the file is a
mount), the old file is overwritten, and restored on an error. If that fails too, the result is saved in another folder,
and the error names it. Pipes, devices and stdout are written directly.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from sseclient_cli.cli.signals import ignoring_ending_signals
from sseclient_cli.cli.stdout import write_all
from sseclient_cli.errors import LimitError, UsageError

# Errors of replacing a file in a folder or a mount; the file itself may still be writable.
_NOT_REPLACEABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV})


class ResultFile:
    """The destination of one result. Raises UsageError at once if it is not writable.

    ``suffix`` is the suffix of the file in another folder that saves the result after an error.
    """

    def __init__(self, path: Path, suffix: str = ".json") -> None:
        self._path = path
        self._suffix = suffix
        self._direct: int | None = None
        """The file descriptor of a pipe or a device, which is written directly."""
        try:
            # Replace the file that a symlink points to. Resolved now, because the folder may be renamed during the run.
            self._real = Path(os.path.realpath(path))
            self.is_stdout = str(path) == "-" or _is_stdout(path)
            """Whether the result goes to stdout, so that nothing else may."""
            if not self.is_stdout:
                self._check()
        except (OSError, ValueError) as exc:
            raise UsageError(f"cannot write {path}: {_reason(exc)}") from exc

    def is_same(self, other: ResultFile) -> bool:
        """Return whether both write to the same file."""
        return (self.is_stdout and other.is_stdout) or self._real == other._real

    def write(self, text: str) -> None:
        """Write the result. Raises LimitError with the name of the file that saves it instead."""
        data = text.encode()
        try:
            if self.is_stdout:
                sys.stdout.flush()
                write_all(sys.stdout.fileno(), data)
            elif self._direct is not None:
                write_all(self._direct, data)
            else:
                with ignoring_ending_signals():
                    self._store(data)
        except BrokenPipeError:
            raise  # the reader of the pipe has exited
        except OSError as exc:
            where = "stdout" if self.is_stdout else str(self._path)
            with ignoring_ending_signals():
                saved = _saved_elsewhere(data, self._suffix)
            rest = "and not save it elsewhere" if saved is None else f"saved as {saved}"
            raise LimitError(f"could not write {where} ({_reason(exc)}); {rest}") from exc

    def close(self) -> None:
        """Close the file descriptor, if one is open."""
        if self._direct is not None:
            os.close(self._direct)
            self._direct = None

    def _check(self) -> None:
        try:
            is_regular = stat.S_ISREG(self._path.stat().st_mode)
        except FileNotFoundError:
            # Create and remove a file: permissions alone do not show whether that is possible.
            descriptor, name = tempfile.mkstemp(prefix=".sse-", dir=self._real.parent)
            os.close(descriptor)
            os.unlink(name)
            return
        descriptor = os.open(self._path, os.O_WRONLY)  # for a FIFO, this waits for its reader
        if is_regular:
            os.close(descriptor)
        else:
            self._direct = descriptor

    def _store(self, data: bytes) -> None:
        try:
            self._replace(data)
        except OSError as exc:
            if exc.errno not in _NOT_REPLACEABLE or not self._real.exists():
                raise
            self._overwrite(data)

    def _replace(self, data: bytes) -> None:
        descriptor, temporary = tempfile.mkstemp(prefix=".sse-", dir=self._real.parent)
        try:
            try:
                self._take_over(descriptor)
                write_all(descriptor, data)
                os.fsync(descriptor)  # a full disk may be reported only here
            finally:
                os.close(descriptor)
            os.replace(temporary, self._real)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise

    def _take_over(self, descriptor: int) -> None:
        """Give a new file the mode and the owner of the old one. Raises OSError if it cannot have that owner."""
        if sys.platform == "win32":
            return
        try:
            old = self._real.stat()
        except FileNotFoundError:
            os.fchmod(descriptor, 0o666 & ~_umask())
            return
        new = os.fstat(descriptor)
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))

    def _overwrite(self, data: bytes) -> None:
        descriptor = os.open(self._real, os.O_RDWR)
        with open(descriptor, "r+b", buffering=0) as file:
            before = file.read()
            try:
                _fill(file.fileno(), data)
            except OSError:
                # The file was not truncated, so restoring it needs no space on a full disk.
                with suppress(OSError):
                    _fill(file.fileno(), before)
                raise


def _fill(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, data)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _is_stdout(path: Path) -> bool:
    """Return whether a path is stdout: `/dev/stdout`, or the file that stdout is redirected to."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


def _saved_elsewhere(data: bytes, suffix: str) -> str | None:
    """Save the result in the first writable folder; return its path, or None."""
    for folder in (tempfile.gettempdir, Path.home, lambda: "/dev/shm"):
        name = None
        try:
            descriptor, name = tempfile.mkstemp(prefix="sse-bench-", suffix=suffix, dir=folder())
            try:
                write_all(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except (OSError, RuntimeError):  # RuntimeError: a user without a home
            if name is not None:
                with suppress(OSError):
                    os.unlink(name)
        else:
            return name
    return None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _reason(exc: OSError | ValueError) -> str:
    return str(getattr(exc, "strerror", None) or exc).lower()
