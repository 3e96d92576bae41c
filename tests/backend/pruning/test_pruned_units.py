"""Rules for whole heads and whole blocks: what becomes zero, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import context
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.layers import GroupedQueryAttention
from tfopt.backend.pruning.heads import heads_of
from tfopt.backend.pruning.plan import layer_plans
from tfopt.backend.stages import prune as pruning
from tfopt.errors import RecipeError
from tfopt.stages.prune import Prune

pytestmark = pytest.mark.tf

layers = tf_keras.layers
CONSTANT = {"kind": "constant", "final": "50%", "begin": "0%"}


def model() -> tf_keras.Model:
    """Two residual blocks with attention, each of its own kind, over the rows of a digit."""
    tf_keras.utils.set_random_seed(1)
    image = layers.Input((8, 8, 1), name="image")
    x = layers.Reshape((8, 8), name="rows")(image)
    for number, attention in enumerate(
        (
            layers.MultiHeadAttention(4, 2, name="block1_attention"),
            GroupedQueryAttention(4, 2, 2, name="block2_attention"),
        )
    ):
        block = f"block{number + 1}"
        half = attention(x, x) if number == 0 else attention(x)
        x = layers.Add(name=f"{block}_sum")([x, half])
        x = layers.Add(name=f"{block}_end")([x, layers.Dense(8, name=f"{block}_forward")(x)])
    x = layers.Flatten(name="flatten")(x)
    return tf_keras.Model(image, layers.Dense(10, activation="softmax", name="logits")(x))


def stage(*rules: dict, **more) -> Prune:
    skip = {"match": "logits", "skip": True}
    return Prune.model_validate({"name": "prune", "epochs": 1, "schedule": CONSTANT, "layers": [skip, *rules], **more})


def test_whole_heads_and_a_whole_block_become_zero(tmp_path):
    built = model()
    rules = (
        {"match": "block._attention", "unit": "head"},
        {"match": "block([0-9])_forward", "unit": "block"},
    )

    result = pruning.prune(built, (asked := stage(*rules)), asked, context(tmp_path))

    units = result.details["zero_units"]
    assert {name: len(one["zero"]) for name, one in units["heads"].items()} == {
        "block1_attention": 2,
        "block2_attention": 2,
    }
    for name in units["heads"]:
        heads = heads_of(built.get_layer(name))
        assert heads is not None
        for kernel in heads.kernels:
            slices = np.moveaxis(kernel.variable.numpy().reshape(kernel.shape), kernel.axis, 0)
            zero = [index for index, one in enumerate(slices) if not one.any()]
            assert zero == list(heads.gone_of(kernel))
    (gone,) = units["blocks"].values()
    alive = {name for name in ("block1_forward", "block2_forward") if built.get_layer(name).kernel.numpy().any()}
    assert alive == {"block1_forward", "block2_forward"} - set(gone)
    assert units["num_blocks"] == 2


def test_heads_of_all_layers_can_be_ranked_together(tmp_path):
    built = model()
    first = prunable_kernels(built.get_layer("block1_attention"))
    for kernel in first:
        kernel.assign(kernel * 1e-3)
    asked = stage(
        {"match": ".*_forward", "skip": True}, {"match": "block._attention", "unit": "head"}, allocation="global"
    )

    result = pruning.prune(built, asked, asked, context(tmp_path))

    heads = result.details["zero_units"]["heads"]
    assert len(heads["block1_attention"]["zero"]) == 3  # one stays in each layer
    assert len(heads["block2_attention"]["zero"]) <= 1


@pytest.mark.parametrize(
    ("rule", "place", "text"),
    [
        ({"match": "block1_forward", "unit": "head"}, ("layers", 1, "unit"), "not on Dense"),
        (
            {"type": "MultiHeadAttention", "unit": "head", "schedule": {**CONSTANT, "final": "10%"}},
            ("layers", 1, "schedule"),
            "makes no head of block1_attention zero: 10% of 4 heads",
        ),
        (
            {"match": "block([1])_forward", "unit": "block"},
            ("layers", 1, "match"),
            "makes no block zero: 50% of 1 block (1)",
        ),
    ],
)
def test_rules_that_cannot_be_followed_are_refused_before_training(rule, place, text):
    with pytest.raises(RecipeError) as caught:
        layer_plans(model(), stage(rule), 20, 20)
    (problem,) = caught.value.problems
    assert problem.path == place
    assert text in problem.message
