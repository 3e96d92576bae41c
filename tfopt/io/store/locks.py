"""One builder per store key: whoever comes second waits, and then finds the entry.

The lock is the operating system's, through the package filelock: it goes away with its process, whatever killed it, so
there is no stale lock to detect. It works across machines on file systems that lock (NFS 4, SMB).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tfopt.errors import UsageError
from tfopt.io.system.files import cannot_write

LOCKS = "locks"
"""Folder of the locks in a store."""


@contextmanager
def key_lock(root: Path, key: str, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Holds the lock of a key while the block runs.

    Args:
        root: the store's folder.
        key: what is built.
        on_wait: called once if another process holds the lock.

    Raises:
        StoreError: the lock file cannot be written.
    """
    folder = root / LOCKS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if on_wait is not None:
                on_wait()
            lock.acquire()
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def sole_user(folder: Path, what: str) -> Iterator[None]:
    """Holds a folder for this process while the block runs.

    Raises:
        UsageError: another process holds it.
        StoreError: the lock file cannot be written.
    """
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            f"{what} is being run by another process.", "Wait for it, or stop it first.", code="locked"
        ) from None
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a process is at work in a folder (see `sole_user`)."""
    path = folder / ".lock"
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    lock.release()
    return False
