"""Layers of KerasHub that cannot be written down get a configuration from which an equal layer is made."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf

keras_hub = pytest.importorskip("keras_hub", reason="KerasHub is not installed (pip install tfopt[hub])")

from tfopt.backend.compat.keras_hub import mend_configurations  # noqa: E402


@pytest.mark.parametrize("name", ["LlamaBackbone", "GemmaBackbone", "Qwen3Backbone"])
def test_a_layer_is_made_again_from_its_configuration(name: str) -> None:
    sizes = {"num_query_heads": 2, "num_key_value_heads": 1, **({} if "Llama" in name else {"head_dim": 4})}
    model = getattr(keras_hub.models, name)(vocabulary_size=9, num_layers=1, hidden_dim=8, intermediate_dim=8, **sizes)
    mend_configurations(model)
    values = np.random.RandomState(0).normal(0, 1, (1, 4, 8)).astype(np.float32)
    layer = next(layer for layer in model.layers if "Decoder" in type(layer).__name__)
    again = type(layer).from_config(layer.get_config())
    again.build((None, None, 8))
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again(values), layer(values), rtol=1e-5)
