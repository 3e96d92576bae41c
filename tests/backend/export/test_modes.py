"""One model in every mode that litert-quantizer makes: the files hold what they claim, on all kernels."""

from __future__ import annotations

import pytest
import tf_keras
from tf_keras import layers

from tests.support.contexts import export_context
from tests.support.digits import digits
from tfopt.backend.export import tflite
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile
from tfopt.core.records.report import ExportRecord, TensorRecord

pytestmark = pytest.mark.tf

VARIANTS = {
    "int16x8": {"quantize": "int16x8", "calibration": 32},
    "weights": {"quantize": "weight_only_int8"},
    "int4": {"quantize": "int4", "algorithm": "gptq", "calibration": 32},
    "blocks": {"quantize": "int4_block32"},
    "mixed": {
        "quantize": "dynamic",
        "layers": [{"match": "wide", "quantize": "int4_block64"}, {"match": "logits", "quantize": "none"}],
    },
    "int8": {"quantize": "int8", "calibration": 32, "layers": [{"match": "wide", "quantize": "int4"}]},
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExportRecord]:
    tf_keras.utils.set_random_seed(3)
    rows = layers.Input((8, 8), name="rows")
    x = layers.LayerNormalization(name="norm")(layers.Conv1D(16, 3, padding="same", name="conv")(rows))
    x = layers.Concatenate(name="joined")([layers.Flatten(name="flatten")(x), layers.LSTM(64, name="lstm")(x)])
    x = layers.Dense(128, activation="relu", name="wide")(x)
    model = tf_keras.Model(rows, layers.Dense(10, name="logits")(x))
    loss = Compile(loss={"name": "sparse_categorical_crossentropy", "from_logits": True})
    context = export_context(tmp_path_factory.mktemp("modes") / "export", digits(rows=True), compile=loss)
    variants = {name: Variant.model_validate(keys) for name, keys in VARIANTS.items()}
    return {record.name: record for record in tflite.export(model, variants, context)}


def weights(record: ExportRecord, layer: str) -> list[TensorRecord]:
    assert record.audit is not None, record.error
    return [tensor for tensor in record.audit.tensors if tensor.layer == layer and tensor.role == "weight"]


def test_every_claim_about_the_content_holds(records: dict[str, ExportRecord]) -> None:
    broken = {
        (name, claim.code): claim.found
        for name, record in records.items()
        for claim in record.claims
        if not claim.held and claim.code != "same_outputs"  # the model is not trained
    }
    assert broken == {}


def test_layers_have_the_weights_of_their_modes(records: dict[str, ExportRecord]) -> None:
    def kinds(name: str, layer: str) -> set[tuple[str, int]]:
        return {(tensor.dtype, tensor.block) for tensor in weights(records[name], layer)}

    assert kinds("int4", "conv") == kinds("int4", "wide") == kinds("int8", "wide") == {("int4", 0)}
    assert kinds("blocks", "conv") == kinds("weights", "wide") == kinds("int8", "conv") == {("int8", 0)}
    assert kinds("int4", "lstm") == kinds("int16x8", "lstm") == {("int8", 0)}
    assert kinds("weights", "lstm") == {("float32", 0)}
    assert kinds("blocks", "wide") == {("int4", 32)}
    assert (kinds("mixed", "wide"), kinds("mixed", "logits")) == ({("int4", 64)}, {("float32", 0)})


def test_an_int16x8_file_is_float_where_there_is_no_16_bit_form_and_says_so(records: dict[str, ExportRecord]) -> None:
    audit = records["int16x8"].audit
    assert audit is not None
    assert set(audit.float_layers) == {"norm", "lstm"}
    (claim,) = [claim for claim in records["int16x8"].claims if claim.code == "integer_only"]
    assert "litert-quantizer does not know UNIDIRECTIONAL_SEQUENCE_LSTM" in claim.claim
    assert "litert-quantizer has no int16 form of SQUARED_DIFFERENCE" in claim.claim


def test_a_file_with_blocks_is_compared_with_the_same_weights_in_float(records: dict[str, ExportRecord]) -> None:
    for name in ("blocks", "mixed"):
        (claim,) = [claim for claim in records[name].claims if claim.code == "runs_on_kernels"]
        assert "with the same weights in float32" in claim.claim
        assert "only XNNPACK knows weights in blocks" in claim.found
    (claim,) = [claim for claim in records["int4"].claims if claim.code == "runs_on_kernels"]
    assert "in blocks" not in claim.found


def test_small_weights_make_small_files(records: dict[str, ExportRecord]) -> None:
    (four,), (eight,) = weights(records["int4"], "wide"), weights(records["weights"], "wide")
    assert 2 * four.bytes == eight.bytes
    assert records["int8"].measures["agreement"] > 0.3
