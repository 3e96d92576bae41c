"""What `benchmark_model` prints is read, whichever tool printed it."""

from __future__ import annotations

import pytest

from tests.support.phone import benchmark_outputs as outputs
from tfopt.backend.phone.output import failure, read_output
from tfopt.core.records.phone import Accelerator


@pytest.mark.parametrize("text", [outputs.TFLITE_CPU, outputs.LITERT_CPU])
def test_both_tools_say_median_first_call_and_memory(text: str) -> None:
    result = read_output(text, "cpu")
    assert result is not None
    assert (result.latency_ms, result.statistic, result.runs) == (0.6, "median", 64)
    assert (result.init_ms, result.first_ms, result.memory_mb) == (2.5, 2.1, 3.25)
    assert (result.p5_ms, result.p95_ms) == (0.56, 0.7)


def test_a_tool_without_a_median_gives_a_mean_that_is_called_so() -> None:
    result = read_output(outputs.TFLITE_2018, "cpu")
    assert result is not None
    assert (result.latency_ms, result.statistic) == (pytest.approx(66.7675), "mean")
    large = "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3e+06, Inference (avg): 2.95034e+06"
    slow = read_output(large, "cpu")
    assert slow is not None
    assert slow.latency_ms == pytest.approx(2950.34)


def test_lines_of_androids_log_are_read_too() -> None:
    logged = "".join(f"09-28 06:21:39.135 19410 19410 I tflite  : {line}\n" for line in outputs.LITERT_GPU.splitlines())
    result = read_output(logged, "gpu")
    assert result is not None
    assert (result.latency_ms, result.ran_on, result.delegated) == (0.6, "accelerator", "8 of 8")


@pytest.mark.parametrize(
    ("text", "accelerator", "ran_on"),
    [
        (outputs.TFLITE_GPU, "gpu", "accelerator"),
        (outputs.TFLITE_GPU_PARTLY, "gpu", "partly"),
        (outputs.TFLITE_GPU_REFUSED, "gpu", "cpu"),
        (outputs.LITERT_GPU, "gpu", "accelerator"),
        (outputs.LITERT_GPU_MISSING, "gpu", "cpu"),
        (outputs.LITERT_NPU, "npu", "partly"),
        (outputs.LITERT_NPU_REFUSED, "npu", "cpu"),
        (outputs.litert(), "npu", "not said"),
        (outputs.litert(outputs.replaced(0, 8, "DispatchDelegate")), "npu", "cpu"),
    ],
)
def test_a_fall_back_to_the_cpu_is_seen(text: str, accelerator: Accelerator, ran_on: str) -> None:
    result = read_output(text, accelerator)
    assert result is not None
    assert result.ran_on == ran_on


def test_what_failed_has_no_result_and_names_the_telling_line() -> None:
    assert read_output(outputs.GPU_FAILS, "gpu") is None
    assert failure(outputs.GPU_FAILS) == "ERROR: Failed to apply GPU delegate."
    assert failure("") == ""
