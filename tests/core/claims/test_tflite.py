"""Claims are judged from plain values: a lying file breaks the claim that it violates, by tensor and layer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.audits import audit, tensor
from tfopt.core.claims.agreement import OutputComparison, agreement_claim
from tfopt.core.claims.floats import FloatLayers
from tfopt.core.claims.kernels import RuntimeCheck
from tfopt.core.claims.tflite import tflite_claims
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import AuditRecord, ClaimRecord, LayerRecord, PortRecord

GOOD = RuntimeCheck(agreement=(OutputComparison(360, share=0.99),), kernels=OutputComparison(32, share=1.0))


def layer(name: str = "stem", sparsity: float = 0.8, parameters: int = 1168) -> LayerRecord:
    return LayerRecord(name=name, type="Conv2D", parameters=parameters, sparsity=sparsity, unique=230)


def judged(variant: Variant, found: AuditRecord, runtime: RuntimeCheck = GOOD, **model: Any) -> dict[str, ClaimRecord]:
    traits, layers = frozenset(model.get("traits", ())), model.get("layers", ())
    floats, own = model.get("float_layers", FloatLayers()), model.get("own_types", {})
    claims = tflite_claims(variant, traits, layers, found, runtime, floats, own)
    assert len({claim.claim for claim in claims}) == len(claims)
    return {claim.claim: claim for claim in claims}


def claim(claims: dict[str, ClaimRecord], part: str) -> ClaimRecord:
    (name,) = [name for name in claims if part in name]
    return claims[name]


INT8 = Variant(quantize="int8", io="int8")


def test_a_true_int8_file_holds_every_claim() -> None:
    claims = judged(INT8, audit(tensor()), traits=["sparse"], layers=[layer()])
    assert all(c.held for c in claims.values())
    assert len(claims) == 6


def test_a_float_file_presented_as_int8_breaks_every_claim_about_its_content() -> None:
    lie = audit(
        tensor(dtype="float32", quantization="none"),
        io="float32",
        float_operators={"CONV_2D": 1},
        float_layers=["stem"],
    )
    claims = judged(INT8, lie)
    only = claim(claims, "int8 only")
    assert not only.held
    assert "1 CONV_2D in layer stem" in only.found
    assert "'model/stem/Conv2D' (layer stem)" in only.found
    weights = claim(claims, "weights are int8")
    assert weights.found == "tensor 'model/stem/Conv2D' (layer stem) is float32"
    assert not claim(claims, "inputs and outputs are int8").held


def test_float_outputs_may_be_dequantized_once_and_nothing_else() -> None:
    operators = {"CONV_2D": 1, "QUANTIZE": 1, "DEQUANTIZE": 1}
    float_io = Variant(quantize="int8", io="float32")
    assert claim(judged(float_io, audit(tensor(), io="float32", operators=operators)), "int8 only").held
    twice = {**operators, "DEQUANTIZE": 2}
    broken = claim(judged(float_io, audit(tensor(), io="float32", operators=twice)), "int8 only")
    assert not broken.held
    assert "2 DEQUANTIZE operators, 1 expected" in broken.found


LOOP = FloatLayers("listed", {"gru": "TFLite runs it as a loop"})


def test_the_layers_that_the_plan_named_may_be_float_and_no_others() -> None:
    loop = audit(
        tensor(),
        tensor("gru", dtype="float32", quantization="none"),
        operators={"CONV_2D": 1, "WHILE": 1, "DEQUANTIZE": 3},
        float_operators={"WHILE": 1},
        float_layers=["gru"],
    )
    claims = judged(INT8, loop, float_layers=LOOP)
    held = claim(claims, "int8 only, except for the layers named in the plan: gru (TFLite runs it as a loop)")
    assert held.held
    assert held.found == "float operators: 1 WHILE in layer gru"
    weights = claim(claims, "weights are int8")
    assert weights.held
    assert "float32 as planned: tensor 'model/gru/Conv2D' (layer gru)" in weights.found

    broken = claim(judged(INT8, loop), "int8 only: no operator computes in float")
    assert not broken.held
    other = loop.model_copy(update={"float_operators": {"MUL": 1, "WHILE": 1}, "float_layers": ["gru", "stem"]})
    more = claim(judged(INT8, other, float_layers=LOOP), "int8 only")
    assert not more.held
    assert more.found == "float operators: 1 MUL, 1 WHILE, some of them in layer stem"
    strict = claim(judged(INT8, loop, float_layers=FloatLayers("forbid", LOOP.planned)), "int8 only: no operator")
    assert not strict.held


def test_a_planned_float_layer_that_is_integer_after_all_is_said() -> None:
    integer = claim(judged(INT8, audit(tensor()), float_layers=LOOP), "int8 only")
    assert (integer.held, integer.found) == (True, "no float operators")


def test_float_operators_of_no_known_layer_are_not_excused() -> None:
    lost = audit(tensor(), float_operators={"ADD": 2, "WHILE": 1}, float_layers=["gru"])
    lost = lost.model_copy(update={"untraced_float_operators": {"ADD": 2}})
    found = claim(judged(INT8, lost, float_layers=LOOP), "int8 only")
    assert (found.held, found.found) == (False, "float operators of unknown layers: 2 ADD")


def test_where_float_is_only_reported_it_is_reported() -> None:
    lie = audit(tensor(dtype="float32", quantization="none"), float_operators={"CONV_2D": 1}, float_layers=["stem"])
    claims = judged(INT8, lie, float_layers=FloatLayers("allow"))
    report = claim(claims, "qat.float_layers is allow")
    assert report.held
    assert "1 CONV_2D in layer stem" in report.found
    assert "'model/stem/Conv2D' (layer stem)" in report.found
    assert claim(claims, "weights are int8").held


def test_inputs_and_outputs_of_different_types_are_claimed_each() -> None:
    variant = Variant.model_validate({"quantize": "int8", "io": {"input": "uint8", "output": "float32"}})
    pixels = [PortRecord(name="image", dtype="uint8", shape=[-1, 8, 8])]
    held = claim(judged(variant, audit(tensor(), inputs=pixels, io="float32")), "inputs are uint8, outputs are float32")
    assert held.held
    broken = claim(judged(variant, audit(tensor(), inputs=pixels, io="int8")), "inputs are uint8")
    assert not broken.held
    assert broken.found.startswith("output ")


def test_integer_inputs_keep_their_type_under_int8_io() -> None:
    tokens = [PortRecord(name="tokens", dtype="int32", shape=[-1, 48])]
    own = claim(judged(INT8, audit(tensor(), inputs=tokens), own_types={"tokens": "int32"}), "inputs and outputs")
    assert own.held
    assert own.claim == "inputs and outputs are int8, except for 'tokens', which is int32 in the model"
    assert not claim(judged(INT8, audit(tensor(), inputs=tokens)), "inputs and outputs").held
    pixels = [PortRecord(name="camera", dtype="float32", shape=[-1, 8, 8])]
    lost = judged(Variant(), audit(tensor(), inputs=pixels, io="float32"), own_types={"camera": "uint8"})
    assert claim(lost, "inputs and outputs").found == "input 'camera' is float32"
    scores = [PortRecord(name="scores", dtype="int32", shape=[-1, 48])]
    assert not claim(judged(INT8, audit(tensor(), outputs=scores)), "inputs and outputs").held


def test_destroyed_sparsity_names_layer_and_tensor() -> None:
    found = audit(tensor("stem", sparsity=0.06), tensor("head", sparsity=0.797))
    broken = claim(judged(INT8, found, traits=["sparse"], layers=[layer("stem"), layer("head")]), "sparsity")
    assert not broken.held
    assert broken.found == "layer stem: 80.00% in the model, 6.00% in the file (tensor 'model/stem/Conv2D')"


def test_sparsity_may_differ_by_half_a_point_and_may_grow() -> None:
    found = audit(tensor("stem", sparsity=0.7951), tensor("head", sparsity=0.93))
    held = claim(judged(INT8, found, traits=["sparse"], layers=[layer("stem"), layer("head")]), "sparsity")
    assert held.held
    assert held.found == "stem 79.51%, head 93.00%"


def test_sparsity_of_a_layer_is_pooled_over_its_kernels() -> None:
    found = audit(tensor("mha", shape=[64, 32], sparsity=1.0), tensor("mha", shape=[192, 32], sparsity=0.4))
    assert "mha 55.00%" in claim(judged(INT8, found, traits=["sparse"], layers=[layer("mha", 0.55)]), "sparsity").found


def test_constants_that_a_rewrite_adds_are_no_kernels() -> None:
    kernel, factor = tensor("conv", shape=[8, 3, 3, 3], sparsity=0.5), tensor("conv", shape=[1, 1, 1, 8], sparsity=0.0)
    pruned = layer("conv", 0.5, parameters=216)
    assert claim(judged(INT8, audit(factor, kernel), traits=["sparse"], layers=[pruned]), "sparsity").held
    bias = tensor("conv", shape=[8], role="bias", sparsity=0.0)
    with_bias = layer("conv", 0.5, parameters=224)
    assert claim(judged(INT8, audit(factor, kernel, bias), traits=["sparse"], layers=[with_bias]), "sparsity").held
    lost = tensor("conv", shape=[8, 3, 3, 3], sparsity=0.4)
    assert not claim(judged(INT8, audit(factor, lost), traits=["sparse"], layers=[pruned]), "sparsity").held
    # A separable convolution has two, the sum of which is known.
    parts = (tensor("conv", shape=[1, 3, 3, 8], sparsity=0.25), tensor("conv", shape=[18, 1, 1, 8], sparsity=0.625))
    separable = layer("conv", 0.5, parameters=216)
    found = claim(judged(INT8, audit(factor, *parts), traits=["sparse"], layers=[separable]), "sparsity").found
    assert found == "conv 50.00%"


def test_a_layer_whose_name_the_converter_dropped_is_judged_by_what_is_left() -> None:
    rest = tensor(None, sparsity=0.5)
    layers = [layer("stem"), layer("rnn", 0.5)]
    assert claim(judged(INT8, audit(tensor(), rest), traits=["sparse"], layers=layers), "sparsity").held
    gone = claim(judged(INT8, audit(tensor()), traits=["sparse"], layers=layers), "sparsity")
    assert not gone.held
    assert gone.found == "layer rnn: 50.00% in the model, no weights of it found in the file"


def test_recurrent_layers_without_a_name_that_are_not_pruned_are_counted_with_those_that_are() -> None:
    both = layer("both", 0.0, parameters=440).model_copy(update={"type": "Bidirectional"})
    pruned = layer("rnn", 0.5, parameters=220).model_copy(update={"type": "LSTM"})
    kernels = [tensor(None, shape=[10, 20], sparsity=share) for share in (0.0, 0.0, 0.5)]
    found = claim(judged(INT8, audit(*kernels), traits=["sparse"], layers=[both, pruned]), "sparsity")
    assert found.found == "rnn + both 16.67%"
    kernels[2] = tensor(None, shape=[10, 20], sparsity=0.4)
    assert not claim(judged(INT8, audit(*kernels), traits=["sparse"], layers=[both, pruned]), "sparsity").held


def test_a_table_that_became_a_constant_of_the_file_is_found_there() -> None:
    table = tensor("positions", shape=[32, 32], sparsity=0.52, role="constant")
    rest = tensor("positions", shape=[1, 1, 32], sparsity=0.0, role="constant")
    pruned = layer("positions", 0.5, parameters=1024).model_copy(update={"clusters": 64})
    claims = judged(INT8, audit(tensor(), table, rest), traits=["sparse", "clustered"], layers=[layer(), pruned])
    sparsity = claim(claims, "sparsity")
    assert sparsity.held
    assert "positions 52.00% in the constant that the converter computed from it" in sparsity.found
    assert claim(claims, "shared values").held


def test_a_product_of_a_kernel_and_a_table_is_no_kernel() -> None:
    found = audit(tensor("attention", shape=[16, 16], sparsity=0.5), tensor("attention", shape=[512, 16], sparsity=0.0))
    pruned = layer("attention", 0.5, parameters=1088)
    assert claim(judged(INT8, found, traits=["sparse"], layers=[pruned]), "sparsity").found == "attention 50.00%"


def test_a_dense_model_makes_no_claim_about_sparsity() -> None:
    assert not any("sparsity" in name for name in judged(INT8, audit(tensor()), layers=[layer(sparsity=0.01)]))


def test_a_file_that_runs_on_one_kind_of_kernels_only_is_reported() -> None:
    runtime = RuntimeCheck(xnnpack_error="failed to delegate CONV_2D node")
    claims = judged(INT8, audit(tensor()), runtime)
    assert claim(claims, "runs on XNNPACK").found == "XNNPACK: failed to delegate CONV_2D node"
    assert claim(claims, "same predictions as the Keras model").found == "the file did not run"


def test_kernels_that_disagree_break_the_claim() -> None:
    runtime = RuntimeCheck(agreement=(OutputComparison(360, share=0.99),), kernels=OutputComparison(32, share=0.9))
    broken = claim(judged(INT8, audit(tensor()), runtime), "runs on XNNPACK")
    assert not broken.held
    assert broken.found == "equal predictions: 90.00% of 32 examples"


def test_two_close_calls_among_few_examples_do_not_break_the_claim_about_kernels() -> None:
    runtime = RuntimeCheck(agreement=(OutputComparison(360, share=0.99),), kernels=OutputComparison(32, share=30 / 32))
    assert claim(judged(INT8, audit(tensor()), runtime), "runs on XNNPACK").held


def test_outputs_that_differ_name_operators_that_saturate() -> None:
    runtime = RuntimeCheck(agreement=(OutputComparison(360, share=0.5),), kernels=OutputComparison(32, share=1.0))
    found = claim(judged(INT8, audit(tensor(), operators={"MINIMUM": 1}), runtime), "same predictions as").found
    assert found.startswith("50.00% of 360 examples; a possible cause is MINIMUM: in integers, TFLite gives operands")
    found = claim(judged(INT8, audit(tensor()), runtime), "same predictions as").found
    assert found.startswith("50.00% of 360 examples; with `sensitivity: true`, this file names the layers that cost it")


def test_agreement_below_the_recipe_s_demand_breaks_the_claim() -> None:
    demanding = Variant(quantize="int8", io="int8", agreement="99.5%")
    broken = claim(judged(demanding, audit(tensor())), "same predictions as")
    assert not broken.held
    assert "at least 0.995" in broken.claim
    assert broken.found.startswith("99.00% of 360 examples; with")


@pytest.mark.parametrize(("error", "held"), [(0.05, True), (0.11, False), (float("nan"), False)])
def test_regression_agrees_by_the_error_over_the_signal(error: float, held: bool) -> None:
    compared = OutputComparison(100, difference=0.3, spread=2.0, relative_error=error)
    record = agreement_claim(0.9, compared)
    assert record.held is held
    assert record.claim == "outputs of the Keras model, with an error of at most 0.1 of their standard deviation"
    assert "largest difference 0.3, range of outputs 2, 100 examples" in record.found
    assert compared.measures().keys() == {"agreement", "relative_error"}
    assert compared.value == 0.3
    assert agreement_claim(0.9, compared, most_error=0.2).held is (error == error)


def clustered(name: str = "stem", clusters: int = 16, kind: str = "Conv2D") -> LayerRecord:
    return layer(name).model_copy(update={"type": kind, "clusters": clusters})


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_shared_values_are_counted_per_channel(dtype: str) -> None:
    """A float kernel that batch normalization was folded into has as many values as channels times clusters."""
    found = audit(tensor(dtype=dtype, unique=256, unique_per_channel=16), tensor("free", unique_per_channel=72))
    held = claim(judged(INT8, found, traits=["clustered"], layers=[clustered(), layer("free")]), "shared values")
    assert (held.held, held.found) == (True, "stem 16 of 16")


def test_fewer_values_than_clusters_are_fine_and_more_are_not() -> None:
    found = audit(tensor(unique_per_channel=12), tensor("other", unique_per_channel=17))
    given = [clustered(), clustered("other")]
    judgement = claim(judged(INT8, found, traits=["clustered"], layers=given), "shared values")
    assert not judgement.held
    assert judgement.found == "layer other: 16 clusters, 17 values in tensor 'model/other/Conv2D'"


def test_a_clustered_layer_that_is_not_in_the_file_is_named() -> None:
    judgement = claim(judged(INT8, audit(), traits=["clustered"], layers=[clustered()]), "shared values")
    assert judgement.found == "layer stem: no weights of it found in the file"


def test_only_the_pointwise_half_of_a_separable_convolution_is_clustered() -> None:
    depthwise = tensor(shape=[1, 3, 3, 8], unique_per_channel=9)
    pointwise = tensor(shape=[16, 1, 1, 8], unique_per_channel=4)
    given = [clustered(clusters=4, kind="SeparableConv2D")]
    held = claim(judged(INT8, audit(depthwise, pointwise), traits=["clustered"], layers=given), "shared values")
    assert (held.held, held.found) == (True, "stem 4 of 4")
