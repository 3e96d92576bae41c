"""CPU time of the light verbs, as ratios to importing the libraries that they are made of.

Run: `python benchmarks/start_up.py [--rounds 5]`. Each command runs in a process of its own, the commands in turn, so
that a slower minute of the machine slows all of them. What is printed is the least user + system CPU time, divided by
that of `import click, rich.console, rich.table, pydantic, ruamel.yaml` in the same run. No test
asserts the numbers, because they depend on the machine; tests/cli/test_start_up.py asserts what is loaded.

With PYTHONDONTWRITEBYTECODE=1 in a fresh checkout, compiling tfopt's source counts too.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LIBRARIES = ("-c", "import click, rich.console, rich.table, pydantic, ruamel.yaml")
COMMANDS = {
    "the libraries alone": LIBRARIES,
    "tfopt --help": ("-m", "tfopt", "--help"),
    "tfopt ls": ("-m", "tfopt", "ls"),
    "tfopt validate": ("-m", "tfopt", "validate", "recipes/digits_prune_qat.yaml"),
    "tfopt schema": ("-m", "tfopt", "schema"),
}


def cpu_seconds(arguments: tuple[str, ...]) -> float:
    """User and system time of one Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, stdout=subprocess.DEVNULL, check=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Prints one line per command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="processes per command (default: 5)")
    rounds = parser.parse_args().rounds
    for arguments in COMMANDS.values():
        cpu_seconds(arguments)  # byte code is compiled once
    measured: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS.items():
            measured[name].append(cpu_seconds(arguments))
    least = {name: min(values) for name, values in measured.items()}
    base = least["the libraries alone"]
    for name, seconds in least.items():
        print(f"{name:22} {seconds:6.2f} s  {seconds / base:5.2f}")


if __name__ == "__main__":
    main()
