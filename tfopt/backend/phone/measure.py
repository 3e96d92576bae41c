"""Pushes `benchmark_model` and files to a phone, runs them on its CPU, GPU and NPU, reads the results, cleans up."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tfopt.backend.phone import output, tool
from tfopt.backend.phone.device import Phone, PhoneTimeout, connect
from tfopt.backend.phone.facts import read_facts, read_thermal
from tfopt.core.records.phone import Accelerator, PhoneReport, PhoneRow
from tfopt.errors import EnvironmentProblem

_FOLDER = "/data/local/tmp"
_SHARE_OF_TIME = 0.5
"""Of the time limit after which the tool begins no new call: the rest is for loading and compiling."""
_SIGNALS = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 136: "SIGFPE", 137: "SIGKILL", 139: "SIGSEGV"}


@dataclass(frozen=True)
class PhoneRequest:
    """How to measure.

    Args:
        serial: of the phone; None for the only one.
        benchmark_tool: Google's `benchmark_model`; None to take it from the environment.
        accelerators: what to run on, in this order.
        threads: numbers of threads of the CPU; the other accelerators get the first.
        runs: least number of timed calls.
        seconds: after which a file on an accelerator is given up.
        libraries: pushed into the folder of the tool, such as a GPU accelerator or the dispatch library of an NPU.
    """

    serial: str | None = None
    benchmark_tool: Path | None = None
    accelerators: Sequence[Accelerator] = ("cpu",)
    threads: Sequence[int] = (1,)
    runs: int = 50
    seconds: float = 300.0
    libraries: Sequence[Path] = ()


def measure_on_phone(
    files: Sequence[Path], request: PhoneRequest, tell: Callable[[str], None] = lambda line: None
) -> PhoneReport:
    """Times files on a phone.

    Args:
        files: `.tflite` files.
        request: how.
        tell: receives what is being done, a line each.

    Returns:
        One row per file, accelerator and number of threads; one that failed says why.

    Raises:
        EnvironmentProblem: adbutils, the tool or the phone is missing, or the phone was lost.
        UsageError: several phones are connected.
    """
    program = tool.find_tool(request.benchmark_tool)
    for library in request.libraries:
        if not library.is_file():
            raise EnvironmentProblem(f"There is no library at {library}.", code="phone_tool")
    phone = connect(request.serial)
    facts = read_facts(phone.shell)
    tool.check_abi(program, facts.abis)
    folder = f"{_FOLDER}/tfopt-{secrets.token_hex(4)}"
    rows: list[PhoneRow] = []
    try:
        _make(phone, folder)
        phone.push(program, f"{folder}/benchmark_model", 0o755)
        for library in request.libraries:
            phone.push(library, f"{folder}/{library.name}", 0o755)
        for number, file in enumerate(files):
            pushed = f"model{number}.tflite"
            phone.push(file, f"{folder}/{pushed}")
            for accelerator in request.accelerators:
                for threads in request.threads if accelerator == "cpu" else request.threads[:1]:
                    tell(f"{file.name} on the {accelerator.upper()} of {facts.model or phone.serial}")
                    row = PhoneRow(file.name, file.stat().st_size, accelerator, threads)
                    rows.append(_measured(row, phone, folder, pushed, request))
            phone.shell(f"rm -f {folder}/{pushed}")
        return PhoneReport(phone.serial, replace(facts, thermal_after=read_thermal(phone.shell)), tuple(rows))
    finally:
        with suppress(EnvironmentProblem):  # the phone is gone
            phone.shell(f"rm -rf {folder}")


def _make(phone: Phone, folder: str) -> None:
    said = phone.shell(f"mkdir -p {folder} && echo made")
    if "made" not in said:
        raise EnvironmentProblem(
            f"The phone {phone.serial} refuses to make the folder {folder}: {said.strip()}.", code="phone_tool"
        )


def _measured(row: PhoneRow, phone: Phone, folder: str, model: str, request: PhoneRequest) -> PhoneRow:
    """The row with what one run of the tool says."""
    seconds = request.seconds
    command = tool.command(folder, model, row.accelerator, row.threads, request.runs, seconds * _SHARE_OF_TIME)
    try:
        code, text, process = phone.run(command, seconds)
    except PhoneTimeout:
        return replace(row, error=f"benchmark_model was ended after {seconds:g} s without a result")
    if "not executable" in text or (code == 126 and "benchmark_model" in text):
        raise EnvironmentProblem(
            f"The phone cannot execute benchmark_model: {output.failure(text)}.",
            "Name one that is built for the phone's processor.",
            code="phone_tool",
        )
    if "CANNOT LINK EXECUTABLE" in text:
        raise EnvironmentProblem(
            f"benchmark_model cannot start on the phone: {output.failure(text)}.",
            "Give the library it needs with --library.",
            code="phone_tool",
        )
    result = output.read_output(text, row.accelerator)
    if result is None and code == 0 and process:  # some builds print to Android's log alone
        result = output.read_output(phone.shell(f"logcat -d --pid={process}"), row.accelerator)
    if result is None or code != 0:
        died = f"was ended by {_SIGNALS[code]}" if code in _SIGNALS else f"failed with exit code {code}"
        said = output.failure(text)
        return replace(row, error=f"benchmark_model {died}" + (f": {said}" if said else " and printed nothing"))
    if tool.unknown_accelerator(row.accelerator, result.ignored):
        message = (
            f"this benchmark_model does not know --use_{row.accelerator} (it is older than LiteRT's) and ran on the CPU"
        )
        return replace(row, error=message)
    return replace(row, result=result, note=_note(row.accelerator, result.ran_on, result.delegated))


def _note(accelerator: Accelerator, ran_on: str, delegated: str) -> str:
    name = accelerator.upper()
    if accelerator == "cpu" or ran_on == "accelerator":
        return ""
    if ran_on == "cpu":
        return f"fell back to the CPU: the {name} took no operator"
    if ran_on == "partly":
        return f"only {delegated or 'some'} operators ran on the {name}, the others on the CPU"
    return f"benchmark_model does not say whether the {name} was used"
