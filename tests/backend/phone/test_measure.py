"""A phone behind a fake adb server: files are pushed, run and removed, and each way to fail is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backend.phone.conftest import elf
from tests.support.phone import benchmark_outputs as outputs
from tests.support.phone.fake_adb import FakePhone
from tfopt.backend.phone.measure import PhoneRequest, measure_on_phone
from tfopt.errors import EnvironmentProblem, TfoptError, UsageError

Connect = Callable[..., None]


def answers(cpu: str = outputs.LITERT_CPU, gpu: str = outputs.LITERT_GPU, npu: str = outputs.LITERT_NPU) -> FakePhone:
    def tool(command: str) -> tuple[str, int]:
        return (npu if "--use_npu" in command else gpu if "--use_gpu" in command else cpu), 0

    return FakePhone(tool=tool)


def refused(file: Path, request: PhoneRequest, error: type[TfoptError] = EnvironmentProblem) -> TfoptError:
    with pytest.raises(error) as caught:
        measure_on_phone([file], request)
    return caught.value


def test_a_file_runs_on_every_accelerator_and_nothing_is_left(phones: Connect, tool: Path, file: Path) -> None:
    phone = answers()
    phones(R5=phone)
    request = PhoneRequest(benchmark_tool=tool, accelerators=("cpu", "gpu", "npu"), threads=(1, 4))
    told: list[str] = []
    report = measure_on_phone([file], request, told.append)
    assert report.facts.model == "Google Pixel 8"
    assert (report.facts.android, report.facts.soc, report.facts.thermal_after) == ("15", "Google Tensor G3", 0)
    assert [(row.accelerator, row.threads) for row in report.rows] == [("cpu", 1), ("cpu", 4), ("gpu", 1), ("npu", 1)]
    assert report.rows[3].note == "only 2 of 3 operators ran on the NPU, the others on the CPU"
    assert told[2] == "int8.tflite on the GPU of Google Pixel 8"
    assert any("--num_threads=4" in command for command in phone.commands)
    assert phone.files == {}


def test_a_fall_back_is_said_and_does_not_count(phones: Connect, tool: Path, file: Path) -> None:
    phones(R5=answers(gpu=outputs.LITERT_GPU_MISSING))
    report = measure_on_phone([file], PhoneRequest(benchmark_tool=tool, accelerators=("gpu",)))
    assert report.rows[0].note == "fell back to the CPU: the GPU took no operator"
    assert report.latency("int8.tflite") is None


def test_an_old_tool_that_ignores_an_accelerator_is_no_measurement(phones: Connect, tool: Path, file: Path) -> None:
    phones(R5=answers(npu=outputs.TFLITE_NPU_UNKNOWN))
    report = measure_on_phone([file], PhoneRequest(benchmark_tool=tool, accelerators=("npu",)))
    assert "does not know --use_npu" in report.rows[0].error
    assert report.rows[0].result is None


def test_a_delegate_that_fails_costs_only_its_own_row(phones: Connect, tool: Path, file: Path) -> None:
    def run(command: str) -> tuple[str, int]:
        return (outputs.GPU_FAILS, 1) if "--use_gpu" in command else (outputs.TFLITE_CPU, 0)

    phones(R5=FakePhone(tool=run))
    gpu, cpu = measure_on_phone([file], PhoneRequest(benchmark_tool=tool, accelerators=("gpu", "cpu"))).rows
    assert gpu.error == "benchmark_model failed with exit code 1: ERROR: Failed to apply GPU delegate."
    assert cpu.result is not None


def test_a_crash_names_its_signal(phones: Connect, tool: Path, file: Path) -> None:
    phones(R5=FakePhone(tool=lambda command: ("INFO: STARTING!", 139)))
    assert "ended by SIGSEGV" in measure_on_phone([file], PhoneRequest(benchmark_tool=tool)).rows[0].error


def test_a_tool_that_prints_to_the_log_only_is_read_there(phones: Connect, tool: Path, file: Path) -> None:
    phone = FakePhone(tool=lambda command: ("", 0), log=outputs.LITERT_CPU)
    phones(R5=phone)
    result = measure_on_phone([file], PhoneRequest(benchmark_tool=tool)).rows[0].result
    assert result is not None
    assert result.latency_ms == 0.6
    assert "logcat -d --pid=4242" in phone.commands


def test_what_takes_too_long_is_ended(phones: Connect, tool: Path, file: Path) -> None:
    phone = FakePhone(hangs=True)
    phones(R5=phone)
    report = measure_on_phone([file], PhoneRequest(benchmark_tool=tool, seconds=3))
    assert report.rows[0].error == "benchmark_model was ended after 3 s without a result"
    assert "kill -9 4242" in phone.commands
    assert phone.files == {}


def test_a_cable_that_is_pulled_is_one_sentence(phones: Connect, tool: Path, file: Path) -> None:
    phones(R5=FakePhone(tool=lambda command: (None, 0)))
    error = refused(file, PhoneRequest(benchmark_tool=tool))
    assert (error.code, error.message) == ("phone_lost", "The phone R5 was disconnected while it ran benchmark_model.")


def test_a_full_phone_is_one_sentence(phones: Connect, tool: Path, file: Path) -> None:
    phone = FakePhone(full=True)
    phones(R5=phone)
    assert "benchmark_model could not be copied to the phone (is its storage full?)" in str(
        refused(file, PhoneRequest(benchmark_tool=tool))
    )


def test_no_phone_and_several_phones(phones: Connect, tool: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phones()
    assert refused(file, PhoneRequest(benchmark_tool=tool)).message.startswith("No phone is connected")
    phones(A=answers(), B=answers())
    error = refused(file, PhoneRequest(benchmark_tool=tool), UsageError)
    assert error.message == "Several phones are connected: A (device), B (device)."
    assert measure_on_phone([file], PhoneRequest("B", tool)).serial == "B"
    assert "No phone 'C' is connected. Connected: A, B." in str(refused(file, PhoneRequest("C", tool), UsageError))
    monkeypatch.setenv("ANDROID_SERIAL", "A")
    assert measure_on_phone([file], PhoneRequest(benchmark_tool=tool)).serial == "A"


@pytest.mark.parametrize(
    ("state", "said"), [("unauthorized", "does not trust this computer"), ("offline", "is offline")]
)
def test_a_phone_that_is_not_ready(phones: Connect, tool: Path, file: Path, state: str, said: str) -> None:
    phones(R5=FakePhone(state=state))
    assert said in refused(file, PhoneRequest(benchmark_tool=tool)).message


def test_a_tool_for_another_processor_is_refused_before_it_is_pushed(phones: Connect, tool: Path, file: Path) -> None:
    phone = answers()
    phones(R5=phone)
    tool.write_bytes(elf(0x3E))
    error = refused(file, PhoneRequest(benchmark_tool=tool))
    assert "is built for x86_64, but the phone runs arm64-v8a: it is not executable there" in error.message
    tool.write_bytes(b"#!/bin/sh\n")
    assert "not an ELF file" in refused(file, PhoneRequest(benchmark_tool=tool)).message
    assert phone.files == {}
    phones(R5=FakePhone(tool=lambda c: ("sh: ./benchmark_model: not executable: 64-bit ELF file", 126)))
    tool.write_bytes(elf(0xB7))
    assert "cannot execute benchmark_model" in refused(file, PhoneRequest(benchmark_tool=tool)).message


def test_a_missing_library_is_named(phones: Connect, tool: Path, file: Path) -> None:
    said = 'CANNOT LINK EXECUTABLE "./benchmark_model": library "libLiteRt.so" not found'
    phones(R5=FakePhone(tool=lambda command: (said, 1)))
    error = refused(file, PhoneRequest(benchmark_tool=tool))
    assert "libLiteRt.so" in error.message
    assert "--library" in error.hint


def test_without_a_tool_nothing_is_asked(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFOPT_BENCHMARK_MODEL", raising=False)
    assert refused(file, PhoneRequest()).code == "phone_tool"
    assert "There is no benchmark_model at" in refused(file, PhoneRequest(benchmark_tool=tmp_path / "x")).message


def test_without_adbutils_the_extra_is_named(tool: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adbutils", None)
    error = refused(file, PhoneRequest(benchmark_tool=tool))
    assert (error.code, "tfopt[adb]" in error.hint) == ("missing_package", True)
