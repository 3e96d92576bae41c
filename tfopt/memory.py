"""How much memory is free, and how much a process took."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")


def available_memory(cgroup: Path = _CGROUP) -> int:
    """Bytes that a new process could use, within the limit of its container.

    Args:
        cgroup: folder with the container's limits (version 2), which psutil does not read.
    """
    free: int = psutil.virtual_memory().available
    within = _within(cgroup)
    return free if within is None else min(free, within)


def peak_memory() -> int | None:
    """Peak memory of this process in bytes; None on systems that do not report it."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _within(cgroup: Path) -> int | None:
    limit, used = _read(cgroup / "memory.max").strip(), _read(cgroup / "memory.current").strip()
    if not limit.isdigit() or not used.isdigit():
        return None
    # Pages of files count as used, but the kernel gives them back at once.
    files = next(
        (
            int(line.split()[1])
            for line in _read(cgroup / "memory.stat").splitlines()
            if line.startswith("inactive_file ")
        ),
        0,
    )
    return max(0, int(limit) - int(used) + files)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
