"""What is said before training about modes that layers have no kernel for."""

from __future__ import annotations

from typing import Any

import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.quantizer.preflight import quantizer_preflight
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def model() -> tf_keras.Model:
    image = layers.Input((8, 8, 3), name="image")
    x = layers.Conv2D(6, 3, name="conv")(image)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.ReLU(name="relu")(layers.Flatten(name="flatten")(x))  # 96 values
    return tf_keras.Model(image, layers.Dense(10, name="logits")(layers.Dense(48, name="hidden")(x)))


def said(model: tf_keras.Model, *traits: Trait, **keys: Any) -> Preflight:
    return quantizer_preflight(model, {"file": Variant.model_validate(keys)}, frozenset(traits))


def test_layers_that_get_other_weights_are_named_with_the_reason(model: tf_keras.Model) -> None:
    (depthwise,) = said(model, quantize="int4").warnings
    assert depthwise == (
        "file: depthwise gets int8 weights: LiteRT has no kernel for DEPTHWISE_CONV_2D with int4 weights."
    )
    warnings = said(model, quantize="int4_block32").warnings
    assert (
        "file: conv gets int8 weights: LiteRT has no kernel for CONV_2D with int4 in blocks of 32 weights." in warnings
    )
    assert "file: logits gets int8 weights: a row of 48 weights cannot be divided into blocks of 32." in warnings
    assert said(model, quantize="weight_only_int8") == said(model, quantize="dynamic") == Preflight()


@pytest.mark.parametrize(
    ("rule", "reason", "possible"),
    [
        ({"type": "Conv2D", "quantize": "int4_block32"}, "no kernel for CONV_2D", "weight_only_int8, int4."),
        ({"match": "depthwise", "quantize": "int2"}, "no kernel for DEPTHWISE_CONV_2D", "weight_only_int8."),
        ({"match": "logits", "quantize": "int4_block64"}, "a row of 48 weights cannot", "int4, int2."),
    ],
)
def test_a_rule_that_no_kernel_follows_is_a_mistake(
    model: tf_keras.Model, rule: dict[str, str], reason: str, possible: str
) -> None:
    (problem,) = said(model, quantize="dynamic", layers=[rule]).problems
    assert (problem.path, problem.code) == (("file", "layers", 0, "quantize"), "no_kernel")
    assert reason in problem.message
    assert problem.message.endswith(possible)


def test_a_rule_for_a_layer_without_weights_is_a_mistake(model: tf_keras.Model) -> None:
    (problem,) = said(model, quantize="dynamic", layers=[{"match": "relu", "quantize": "int4"}]).problems
    assert problem.message == "file: int4 is for weights, and relu has none. Remove the rule."


def test_a_small_weight_in_an_integer_file_is_checked_too(model: tf_keras.Model) -> None:
    (problem,) = said(model, quantize="int8", layers=[{"match": "depthwise", "quantize": "int4"}]).problems
    assert problem.code == "no_kernel"
    assert problem.message.endswith("Possible are none, int8.")
    assert not said(model, quantize="int8", layers=[{"match": "hidden", "quantize": "int4"}]).problems


def test_a_mode_that_no_layer_has_a_kernel_for_is_a_mistake() -> None:
    image = layers.Input((8, 8, 3))
    convolutional = tf_keras.Model(image, layers.DepthwiseConv2D(3, name="two")(layers.Conv2D(4, 3, name="one")(image)))
    (problem,) = said(convolutional, quantize="int4_block128").problems
    assert (problem.path, problem.code) == (("file", "quantize"), "no_kernel")
    assert "one: LiteRT has no kernel for CONV_2D" in problem.message
    assert said(convolutional, quantize="int4").problems == ()


@pytest.mark.parametrize(
    ("trait", "keys", "code"),
    [
        ("sparse", {"quantize": "int4", "algorithm": "gptq"}, "sparsity_lost"),
        ("clustered", {"quantize": "dynamic", "algorithm": "hadamard"}, "clusters_lost"),
        ("clustered", {"quantize": "int4_block32"}, "clusters_lost"),
    ],
)
def test_what_would_undo_a_stage_is_a_mistake_unless_the_recipe_accepts_it(
    model: tf_keras.Model, trait: Trait, keys: dict[str, Any], code: str
) -> None:
    (problem,) = said(model, trait, **keys).problems
    assert problem.code == code
    claim = "sparsity_kept" if trait == "sparse" else "clusters_kept"
    assert said(model, trait, **keys, accept=[{"claim": claim, "because": "tried"}]).problems == ()
    assert said(model, trait, quantize="int4", algorithm="octav").problems == ()
