"""What is said about an integer file after a quantizing stage."""

from __future__ import annotations

from tfopt.core.claims.simulation import concern, simulation_sentence
from tfopt.core.records.report import ExportRecord, SimulationRecord


def record(metric: str, value: float, plain: dict[str, float], **more: object) -> ExportRecord:
    simulation = SimulationRecord.model_validate({"stage": "qat", "quantum": 0.25, "plain": plain, **more})
    measures = {metric: value, "within_quantum": 0.995}
    return ExportRecord(
        name="int8", format="tflite", path="", bytes=1, gzip_bytes=1, measures=measures, simulation=simulation
    )


def test_the_simulated_model_and_the_plain_file_stand_beside_the_file() -> None:
    said = simulation_sentence(record("accuracy", 0.91, {"accuracy": 0.9}), "accuracy")
    assert said is not None
    assert "99.5% of its output values are within one quantum (0.25)" in said
    assert "91.00%" in said
    assert "90.00% for plain int8" in said


def test_a_loss_to_plain_int8_is_said_with_both_figures() -> None:
    said = concern(record("mae", 3.36, {"mae": 1.97}, worse_than_plain=True), "mae")
    assert said is not None
    assert "qat lost to plain int8: mae 3.36 after qat, 1.97 without it" in said
    assert concern(record("mae", 3.36, {"mae": 1.97}), "mae") is None


def test_a_plain_file_that_cannot_be_made_is_said() -> None:
    said = simulation_sentence(record("accuracy", 0.9, {}, plain_failed="the converter crashed"), "accuracy")
    assert said is not None
    assert said.endswith("there is no plain int8 file to compare with: the converter crashed.")


def test_a_file_without_simulation_has_no_sentence() -> None:
    plain = ExportRecord(name="int8", format="tflite", path="", bytes=1, gzip_bytes=1, measures={})
    assert simulation_sentence(plain, "accuracy") is None
    assert concern(plain, "accuracy") is None
