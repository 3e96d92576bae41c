"""What a report says about heads and blocks that should be zero."""

from __future__ import annotations

import pytest

from tfopt.core.claims.zero_units import zero_units_claim
from tfopt.core.records.report import AuditRecord, TensorRecord
from tfopt.core.records.zero_units import ZeroUnits

PROMISE = ZeroUnits.of(
    {
        "heads": {
            "attention": {"heads": 4, "zero": [0, 2], "kernels": [{"inputs": False, "slices": 4, "zero": [0, 2]}]}
        },
        "blocks": {"2": ["forward"]},
        "num_blocks": 3,
    }
)


def audit(sparsity: float) -> AuditRecord:
    tensor = TensorRecord(
        name="forward", layer="forward", dtype="float32", shape=[4, 4], bytes=64, sparsity=sparsity, unique=1,
        quantization="none", role="weight",
    )  # fmt: skip
    return AuditRecord(inputs=[], outputs=[], operators={}, float_operators={}, sparsity=0, tensors=[tensor])


@pytest.mark.parametrize(
    ("sparsity", "wrong", "held", "found"),
    [
        (1.0, {}, True, "heads 1, 3 of 4 in attention; block 2 of 3 (1 layer)"),
        (0.5, {}, False, "block 2: forward has 50.00% zeros"),
        (1.0, {"attention": ["no tensor"]}, False, "heads 1, 3 of 4 in attention: no tensor"),
    ],
)
def test_heads_and_blocks_are_named_as_they_were_found(sparsity, wrong, held, found):
    claim = zero_units_claim(PROMISE, wrong, audit(sparsity))
    assert (claim.held, claim.found) == (held, found)
    assert claim.code == "zero_units"
