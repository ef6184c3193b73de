"""The file that a run is written to: checked before the run, replaced as a whole after it.

A run may take hours, so its document must not be lost, nor the one of the last run. The document is written to a
temporary file in the same folder, which then takes the place of the old one. Where that cannot be (a folder that is
not writable, a file that is mounted), the old file is overwritten, and restored if that fails. Where nothing can be
written, the document is saved in another folder, and the error names it. Pipes, devices and stdout are written
directly.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from sseclient_cli.cli.signals import signals_held_off
from sseclient_cli.cli.stdout import write_all
from sseclient_cli.errors import LimitError, UsageError

# What a folder or a mount does not allow, although the file itself may be writable.
_NOT_REPLACEABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV})


class ResultFile:
    """A place to write one document to; raises UsageError at once where that is not possible.

    ``suffix`` is that of the file which saves the document if it cannot be written there.
    """

    def __init__(self, path: Path, suffix: str = ".json") -> None:
        self._path = path
        self._suffix = suffix
        self._direct: int | None = None
        """A file descriptor of what is no regular file: it is written to as it is."""
        try:
            # A symlink stays one: what it points to is replaced. Resolved now, should the run's folder be renamed.
            self._real = Path(os.path.realpath(path))
            self.is_stdout = str(path) == "-" or _is_stdout(path)
            """Whether nothing else may be printed on stdout."""
            if not self.is_stdout:
                self._check()
        except (OSError, ValueError) as exc:
            raise UsageError(f"cannot write {path}: {_reason(exc)}") from exc

    def is_same(self, other: ResultFile) -> bool:
        """Return whether both lead to one place."""
        return (self.is_stdout and other.is_stdout) or self._real == other._real

    def write(self, text: str) -> None:
        """Write the document. Raises LimitError that says where it is saved if it cannot be written there."""
        data = text.encode()
        try:
            if self.is_stdout:
                sys.stdout.flush()
                write_all(sys.stdout.fileno(), data)
            elif self._direct is not None:
                write_all(self._direct, data)
            else:
                with signals_held_off():
                    self._store(data)
        except BrokenPipeError:
            raise  # the reader did not want it
        except OSError as exc:
            where = "stdout" if self.is_stdout else str(self._path)
            with signals_held_off():
                saved = _saved_elsewhere(data, self._suffix)
            rest = "nor save it anywhere else" if saved is None else f"saved as {saved}"
            raise LimitError(f"could not write {where} ({_reason(exc)}); {rest}") from exc

    def close(self) -> None:
        """Close what was opened before the run."""
        if self._direct is not None:
            os.close(self._direct)
            self._direct = None

    def _check(self) -> None:
        try:
            is_regular = stat.S_ISREG(self._path.stat().st_mode)
        except FileNotFoundError:
            # A file that the folder takes and that is gone at once: permissions alone do not tell.
            descriptor, name = tempfile.mkstemp(prefix=".sse-", dir=self._real.parent)
            os.close(descriptor)
            os.unlink(name)
            return
        descriptor = os.open(self._path, os.O_WRONLY)  # of a FIFO: waits for its reader
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
                os.fsync(descriptor)  # a disk may say only now that it is full
            finally:
                os.close(descriptor)
            os.replace(temporary, self._real)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise

    def _take_over(self, descriptor: int) -> None:
        """Give a new file the mode and the owner of the old one. Raises OSError where it cannot have that owner."""
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
                # Not truncated before, so the old bytes need no space that a full disk has not.
                with suppress(OSError):
                    _fill(file.fileno(), before)
                raise


def _fill(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, data)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _is_stdout(path: Path) -> bool:
    """Return whether a path (`/dev/stdout`, or what stdout is redirected to) is the same file as stdout."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


def _saved_elsewhere(data: bytes, suffix: str) -> str | None:
    """Save the document in the first folder that takes it; return its path, or None."""
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
