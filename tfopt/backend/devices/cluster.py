"""The machines that TF_CONFIG lists."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = "TF_CONFIG"
_ADDRESS = re.compile(r"^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$")


class WrongCluster(Exception):
    """TF_CONFIG cannot be used; the message continues "TF_CONFIG ..."."""


@dataclass(frozen=True)
class Cluster:
    """Workers, and which of them this process is.

    Args:
        workers: host:port of each.
        index: of this process; the first one, 0, leads: it writes checkpoints, store and files.
        jobs: the workers by their job, `chief` or `worker`.
    """

    workers: tuple[str, ...]
    index: int
    jobs: Mapping[str, tuple[str, ...]]

    @property
    def own(self) -> str:
        """host:port of this process."""
        return self.workers[self.index]


def cluster() -> Cluster | None:
    """The workers of TF_CONFIG; None where the variable is not set.

    A `chief` in TF_CONFIG is the first worker. Evaluators do not train, and are refused.

    Raises:
        WrongCluster: the text is not what TensorFlow reads, or this process is not among the workers.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
    except ValueError as error:
        raise WrongCluster(f"is not JSON ({error}): {text[:80]!r}") from error
    jobs = config.get("cluster") if isinstance(config, dict) else None
    if not isinstance(jobs, dict) or not jobs:
        raise WrongCluster(f"has no mapping 'cluster' with the addresses of the workers: {text[:80]!r}")
    other = sorted(set(jobs) - {"chief", "worker"})
    if other:
        raise WrongCluster(f"lists {', '.join(other)}; multi_worker trains with 'worker' (and 'chief') only")
    addresses = {job: _addresses(job, jobs[job]) for job in ("chief", "worker") if job in jobs}
    workers = (*addresses.get("chief", ()), *addresses.get("worker", ()))
    if len(set(workers)) < len(workers):
        raise WrongCluster(f"lists an address twice: {', '.join(workers)}")
    return Cluster(workers, _index(config.get("task"), addresses), addresses)


def _addresses(job: str, listed: object) -> tuple[str, ...]:
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
        raise WrongCluster(f"must list addresses under cluster.{job}, and has {listed!r}")
    for one in listed:
        if not _ADDRESS.match(one) or not 0 < int(one.rpartition(":")[2]) < 65536:
            raise WrongCluster(f"must list addresses as host:port, and has {one!r} under cluster.{job}")
    if job == "chief" and len(listed) > 1:
        raise WrongCluster(f"can have one chief, and lists {len(listed)}")
    return tuple(listed)


def _index(task: object, addresses: Mapping[str, tuple[str, ...]]) -> int:
    if not isinstance(task, dict) or "type" not in task or "index" not in task:
        raise WrongCluster(f"must say which worker this process is, as in {_EXAMPLE}; 'task' is {task!r}")
    job, index = task["type"], task["index"]
    if not isinstance(job, str) or job not in addresses:
        raise WrongCluster(f"says that this process is a {job!r}, but lists {', '.join(addresses)}")
    if not re.fullmatch(r"-?[0-9]+", str(index)):
        raise WrongCluster(f"must have a whole number as task.index, and has {index!r}")
    number = int(index)
    if not 0 <= number < len(addresses[job]):
        raise WrongCluster(
            f"says that this process is {job} {number}, but lists {len(addresses[job])} of them, "
            f"0 to {len(addresses[job]) - 1}"
        )
    return number if job == "chief" else number + len(addresses.get("chief", ()))


_EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
