"""One process a run: a lock file that the system frees when its holder dies."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from whyset.errors import RunError, RunLocked


class RunLock:
    """Held from `RunLock(path)` to `release`, or to the end of the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            RunLocked: Another process holds it.
            RunError: The file cannot be written.
        """
        self._path = path
        while True:
            try:
                self._handle = path.open("ab+", buffering=0)
            except OSError as error:
                raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = self._read()
                self._handle.close()
                raise RunLocked(
                    f"another whyset process{holder} is working on this run ({path}): wait for "
                    "it, or name another output with -o"
                ) from error
            except OSError as error:
                self._handle.close()
                raise RunError(f"{path}: cannot be locked: {error.strerror or error}") from error
            if self._is_current():
                break
            # Whoever held it removed it between our opening and our locking it.
            self._handle.close()
        with suppress(OSError):  # a full disk: the lock holds, only its holder is not told
            self._handle.truncate(0)
            self._handle.write(str(os.getpid()).encode())

    def release(self) -> None:
        """Remove the file and let other processes in."""
        if not self._handle.closed:
            self._path.unlink(missing_ok=True)
            self._handle.close()

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._handle.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def _read(self) -> str:
        self._handle.seek(0)
        held = self._handle.read(20) or b""
        return f" ({held.decode()})" if held.isdigit() else ""
