"""What `tfopt bench --adb` shows of a phone."""

from __future__ import annotations

from tests.support.console import printed
from tfopt.core.records.phone import PhoneFacts, PhoneReport, PhoneRow, ToolResult
from tfopt.report.files.phone import phone_text


def test_accelerators_fall_backs_and_heat_are_said() -> None:
    rows = (
        PhoneRow("int8.tflite", 1, "cpu", 4, ToolResult(1.5, ran_on="cpu", p5_ms=1.25)),
        PhoneRow("int8.tflite", 1, "gpu", 4, ToolResult(2.5, "mean", ran_on="partly"), note="only 2 of 3 on the GPU"),
        PhoneRow("int8.tflite", 1, "npu", 4, ToolResult(1.75, ran_on="cpu"), note="fell back to the CPU"),
        PhoneRow("f.tflite", 1, "cpu", 4, error="benchmark_model was ended by SIGSEGV"),
    )
    facts = PhoneFacts("Google Pixel 8", "15", "Google Tensor G3", thermal_after=3)
    shown = printed(phone_text(PhoneReport("R5", facts, rows)), width=120)
    assert "Google Pixel 8, Android 15, Google Tensor G3" in shown
    assert "GPU + CPU" in shown
    assert "CPU (not NPU)" in shown
    assert "2.50 ms (mean)" in shown
    assert "int8.tflite on the NPU: fell back to the CPU." in shown
    assert "f.tflite on the CPU: benchmark_model was ended by SIGSEGV." in shown
    assert "thermal status 3" in shown
