"""Google's `benchmark_model`: the file that the user names, and the command that runs it."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfopt.core.records.phone import Accelerator
from tfopt.errors import EnvironmentProblem

VARIABLE = "TFOPT_BENCHMARK_MODEL"
"""Environment variable that names the file."""
_ABIS: Mapping[int, str] = {0xB7: "arm64-v8a", 0x28: "armeabi-v7a", 0x3E: "x86_64", 0x03: "x86"}
"""Android's names of instruction sets by the machine of an ELF file."""


def find_tool(named: Path | None) -> Path:
    """The `benchmark_model` to push.

    Args:
        named: by the user; None to take it from the environment.

    Raises:
        EnvironmentProblem: none is named, or there is no such file.
    """
    path = named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if path is None:
        raise EnvironmentProblem(
            "Measuring on a phone needs Google's benchmark_model for Android, and none is named.",
            f"Build it from github.com/google-ai-edge/LiteRT (or download the one it publishes), then name it with "
            f"--benchmark-tool or the variable {VARIABLE}.",
            code="phone_tool",
        )
    if not path.is_file():
        raise EnvironmentProblem(f"There is no benchmark_model at {path}.", code="phone_tool")
    return path


def check_abi(tool: Path, abis: Sequence[str]) -> None:
    """Refuses a tool that the phone cannot execute, before anything is pushed.

    Args:
        tool: the file.
        abis: that the phone runs; empty where it does not say.

    Raises:
        EnvironmentProblem: it is no program, or one for a different processor.
    """
    try:
        with tool.open("rb") as file:
            head = file.read(20)
    except OSError as error:
        raise EnvironmentProblem(f"Cannot read {tool}: {error.strerror or error}.", code="phone_tool") from error
    if head[:4] != b"\x7fELF" or len(head) < 20:
        raise EnvironmentProblem(
            f"{tool} is not a program for Android: it is not an ELF file.",
            "Name the benchmark_model itself, not an archive, script or app.",
            code="phone_tool",
        )
    (machine,) = struct.unpack("<H", head[18:20])
    abi = _ABIS.get(machine, f"processor {machine}")
    if abis and abi not in abis:
        raise EnvironmentProblem(
            f"{tool} is built for {abi}, but the phone runs {', '.join(abis)}: it is not executable there.",
            f"Name a benchmark_model for {abis[0]}.",
            code="phone_tool",
        )


def command(folder: str, model: str, accelerator: Accelerator, threads: int, runs: int, seconds: float) -> str:
    """The shell command that runs the tool in its folder on the phone.

    Args:
        folder: on the phone, which holds `benchmark_model`, the file and libraries.
        model: name of the file in it.
        accelerator: what to run on; the tool keeps the CPU for operators that it does not take.
        threads: of the CPU.
        runs: least number of timed calls.
        seconds: time after which the tool stops to begin new calls.
    """
    options = [
        f"--graph={folder}/{model}",
        f"--num_threads={threads}",
        f"--num_runs={runs}",
        "--warmup_runs=5",
        f"--max_secs={seconds:g}",
    ]
    if accelerator == "gpu":
        options.append("--use_gpu=true")
    if accelerator == "npu":
        options += ["--use_npu=true", f"--dispatch_library_path={folder}", f"--compiler_plugin_library_path={folder}"]
    libraries = f"LD_LIBRARY_PATH={folder} ADSP_LIBRARY_PATH={folder}"
    return f"cd {folder} && exec env {libraries} ./benchmark_model {' '.join(options)}"


def unknown_accelerator(accelerator: Accelerator, ignored: Sequence[str]) -> bool:
    """Whether the tool is too old to know the option of an accelerator: it then runs on the CPU without an error."""
    return any(flag.startswith(f"--use_{accelerator}") for flag in ignored)
