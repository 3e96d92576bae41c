"""What a target lacks is said with the layers that need it, before training and of the file."""

from __future__ import annotations

from tfopt.core.claims.target import target_claims, target_warnings
from tfopt.core.records.report import AuditRecord, PortRecord
from tfopt.core.targets.table import TARGETS


def audit(*operators: str, dtype: str = "int8", shape: tuple[int, ...] = (1, 4), floats: int = 0) -> AuditRecord:
    port = PortRecord(name="x", dtype=dtype, shape=list(shape))
    return AuditRecord(
        inputs=[port],
        outputs=[port],
        operators=dict.fromkeys(operators, 1),
        float_operators=dict.fromkeys(operators[:floats], 1),
        sparsity=0,
        tensors=[],
    )


LAYERS = {"conv": ("CONV_2D",), "pick": ("WHERE", "CONV_2D")}


def test_before_training_the_layers_are_named() -> None:
    operators = {"CONV_2D": 2, "WHERE": 1}
    (micro,) = target_warnings("a", "int8", operators, LAYERS, TARGETS["tflm"])
    assert (
        micro == "a: TFLite Micro has no WHERE (pick): its claim to run there holds only if it runs there all the same."
    )
    (gpu,) = target_warnings("a", "int8", operators, LAYERS, TARGETS["android"])
    assert gpu == "a: the GPU delegate does not take WHERE (pick): that part runs on the CPU."
    of_ios = list(target_warnings("a", "int8", {"CONV_2D": 1}, LAYERS, TARGETS["ios"]))
    assert of_ios == ["a: the Core ML delegate takes float operators only: this file runs on the CPU."]
    assert list(target_warnings("a", "none", {"CONV_2D": 1}, LAYERS, TARGETS["web"])) == []


def test_claims_of_a_file() -> None:
    held = target_claims(audit("CONV_2D"), LAYERS, TARGETS["edgetpu"])
    assert [(claim.code, claim.held) for claim in held] == [("target_operators", True), ("target_types", True)]
    lacking, float_ = target_claims(audit("WHERE", dtype="float32", floats=1), LAYERS, TARGETS["edgetpu"])
    assert (lacking.held, lacking.found) == (False, "it has no WHERE (pick)")
    assert (float_.held, float_.found) == (False, "WHERE computes in float")
    open_ = target_claims(audit("CONV_2D", shape=(-1, 4)), LAYERS, TARGETS["tflm"])[1]
    assert (open_.held, open_.found) == (False, "x has an open shape; x has an open shape")
    assert target_claims(audit("WHERE"), LAYERS, TARGETS["tflm"], ran=True)[0].held
    flex = target_claims(audit("CONV_2D", "FlexErf"), LAYERS, TARGETS["web"])[0]
    assert (flex.held, flex.found) == (False, "it has no FlexErf")
