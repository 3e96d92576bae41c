"""Claims about files of a narrowed network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tfopt.core.claims.shrunk import latency_claim, smaller_tensors_claim
from tfopt.core.records.report import AuditRecord, LayerRecord, TensorRecord
from tfopt.core.records.shrunk import Shrunk

SHRUNK = Shrunk("shrink", ("conv", "dense"), (1000, 500), (300, 100), 0.6, True, Path("dense.tflite"))
LAYERS = [
    LayerRecord(name=name, type="Dense", parameters=size, sparsity=0, unique=1)
    for name, size in (("conv", 40), ("dense", 60))
]


def audit(**sizes):
    tensors = [
        TensorRecord(
            name=name, layer=name, dtype="float32", shape=[size], bytes=4 * size, sparsity=0, unique=1,
            quantization="none", role="weight",
        )
        for name, size in sizes.items()
    ]  # fmt: skip
    return AuditRecord(inputs=[], outputs=[], operators={}, float_operators={}, sparsity=0, tensors=tensors)


@pytest.mark.parametrize(
    ("sizes", "held", "found"),
    [
        ({"conv": 36, "dense": 50}, True, "MACs 1,000 to 500 (50.0%)"),
        ({"conv": 72, "dense": 50}, False, "conv has 72 weights instead of 40"),
        ({"other": 3}, False, "no weights"),
    ],
)
def test_no_layer_has_more_weights_than_the_narrowed_network(sizes, held, found):
    claim = smaller_tensors_claim(SHRUNK, LAYERS, audit(**sizes))

    assert (claim.held, claim.code) == (held, "smaller_tensors")
    assert found in claim.found


def test_the_copies_for_the_steps_of_a_recurrent_layer_are_its_kernels_once():
    gru = [LAYERS[0].model_copy(update={"type": "GRU"}), LAYERS[1]]
    one = audit(conv=32, dense=50)
    steps = one.model_copy(update={"tensors": [*one.tensors[:1] * 5, one.tensors[1]]})
    assert smaller_tensors_claim(SHRUNK, gru, steps).held
    assert not smaller_tensors_claim(SHRUNK, LAYERS, steps).held
    assert not smaller_tensors_claim(SHRUNK, gru, audit(conv=72, dense=50)).held


@pytest.mark.parametrize(("latency", "held"), [(0.55, True), (0.62, True), (0.7, False)])
def test_the_latency_is_held_against_that_of_the_dense_file(latency, held):
    claim = latency_claim(SHRUNK, latency, 1.0)

    assert (claim.held, claim.code) == (held, "latency_of_dense")
    assert "measured in turns" in claim.found


def test_without_a_float32_file_the_claim_is_about_that_of_the_stage():
    details = {
        "narrowed_layers": [], "macs_before": 2, "macs_after": 1, "parameters_before": 2, "parameters_after": 1,
        "latency_limit": {"amount": 0.6, "relative": True}, "narrow_file": True,
    }  # fmt: skip
    promise = Shrunk.of("shrink", details, Path("folder"))
    older = Shrunk.of("shrink", {**details, "narrow_file": False}, Path("folder"))

    assert promise.narrow_file == Path("folder/narrow.tflite")
    assert older.narrow_file is None
    claim = latency_claim(replace(promise, float_exported=False), 0.5, 1.0)
    assert claim.claim.startswith("the network as a float32 file takes at most 60%")
