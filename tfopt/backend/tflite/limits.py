"""Limits of a child process, and what it was doing when it ended: files of others may hang, crash or take all memory.

Runs in the child, too: imports neither NumPy nor TensorFlow.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")
_NOTE: list[Path] = []
"""Where `doing` writes, in a child process that has such a file."""


@dataclass(frozen=True)
class Limits:
    """What a child process may take.

    Args:
        seconds: wall-clock time until it is stopped; None for any.
        memory: bytes that the function may take in addition to what the process has when it begins; None for any.
            Enforced where the operating system can (Linux).
    """

    seconds: float | None = None
    memory: int | None = None

    @classmethod
    def for_reading(cls, size: int, *, tensorflow: bool = False) -> Limits:
        """For a file that is parsed and counted: generous for a well-formed one.

        Args:
            size: of the file in bytes.
            tensorflow: the function imports TensorFlow, which takes address space of its own.
        """
        return cls(seconds=120 + size / 1e6, memory=((5 if tensorflow else 2) << 30) + 24 * size)


NO_LIMITS = Limits()
"""For code and files of one's own."""


def limit_memory(most: int | None) -> None:
    """Lets this process take `most` more bytes of memory: what needs more fails, as it would on a small machine."""
    if most is None or sys.platform == "win32" or not _STATM.exists():
        return
    import resource

    taken = int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = taken + most
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


@contextmanager
def ends_within(seconds: float, what: str) -> Iterator[None]:
    """Kills this process by SIGALRM if the block takes longer, also inside of foreign code that never returns.

    In a child process only: its parent raises `ProcessTimedOut` with what it was `doing`.
    """
    doing(f"{what} (at most {seconds:.0f} s)")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def note_in(path: Path) -> None:
    """Lets `doing` write to a file."""
    _NOTE[:] = [path]


def doing(what: str) -> None:
    """Notes what this child process does next, for the message of a crash: `opens model.tflite`."""
    for path in _NOTE:
        path.write_text(what, encoding="utf-8")
