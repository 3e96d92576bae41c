"""How much memory is free, and how much a process took."""

from __future__ import annotations

import sys
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_memory(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = _CGROUP) -> int | None:
    """Bytes that a new process could use, within the limit of its container; None where the system does not say.

    Args:
        meminfo: the kernel's table.
        cgroup: folder with the container's limits (version 2).
    """
    found = [amount for amount in (_free(meminfo), _within(cgroup)) if amount is not None]
    return min(found, default=None)


def peak_memory() -> int | None:
    """The most bytes this process ever held; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _free(meminfo: Path) -> int | None:
    for line in _read(meminfo).splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) * 1024
    return None


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
