"""Models of KerasHub: built from a name and arguments, for data with one array of ids or with several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models.build import Built, build
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.errors import StageError

keras_hub = pytest.importorskip("keras_hub", reason="KerasHub is not installed (pip install tfopt[hub])")
pytestmark = pytest.mark.tf

_BACKBONE = {"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12, "max_sequence_length": 6}
_IDS = np.array([[5, 3, 9, 1, 0, 0], [2, 4, 6, 8, 10, 1]], np.int32)


def _built(source: str, args: dict[str, Any], inputs: Any = _IDS, targets: Any = (0, 2)) -> Built:
    labels = np.array(targets, np.int32)
    split = Split(inputs, labels)
    data = Data(split, split, split, source="test", num_classes=int(labels.max()) + 1)
    return build(ModelConfig(source=f"keras_hub.models.{source}", args=args), data, seed=1, folder=Path())


def test_a_classifier_gets_its_sizes_and_its_mask_from_the_data() -> None:
    built = _built("BertTextClassifier", {"backbone": _BACKBONE, "dropout": 0})
    model, given = built.model, {"token_ids": _IDS, "padding_mask": (_IDS != 0) * 1, "segment_ids": _IDS * 0}
    assert (model.input_names, model.output_shape) == (["token_ids"], (None, 3))
    whole = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(vocabulary_size=11, **_BACKBONE), num_classes=3, preprocessor=None
    )
    whole.set_weights(built.origin.get_weights())
    assert np.allclose(model(_IDS), whole(given), atol=1e-5)


def test_a_language_model_predicts_each_position() -> None:
    model = _built("GPT2CausalLM", {"backbone": _BACKBONE}, targets=_IDS).model
    assert model.output_shape == (None, 6, 11)


def test_inputs_by_name_are_taken_as_they_are() -> None:
    given = {"token_ids": _IDS, "padding_mask": np.ones_like(_IDS), "segment_ids": _IDS * 0}
    model = _built("BertBackbone", {**_BACKBONE, "output": "pooled_output"}, given).model
    assert set(model.input_names) == set(given)
    assert model.output_shape == (None, 8)


@pytest.mark.parametrize(
    ("source", "args", "code"),
    [
        ("BertTextClasifier", {}, "unknown_source"),
        ("BertTextClassifier", {"backbone": {**_BACKBONE, "num_layer": 1}}, "unknown_argument"),
        ("BertTextClassifier", {}, "missing_argument"),
        ("BertTextClassifier", {"backbone": 3}, "wrong_type"),
        ("BertTextClassifier", {"preset": "bert_tiny_en_uncased"}, "data_missing"),
        ("BertBackbone", _BACKBONE, "incompatible_model"),
    ],
)
def test_what_cannot_be_built_is_one_error(source: str, args: dict[str, Any], code: str) -> None:
    with pytest.raises(StageError) as caught:
        _built(source, args)
    assert caught.value.code == code


def test_a_saved_model_gets_the_length_and_the_mask_of_the_data(tmp_path: Path) -> None:
    whole = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(vocabulary_size=11, **_BACKBONE), num_classes=3, preprocessor=None
    )
    whole.save(tmp_path / "hub.keras")
    split = Split(_IDS, np.array([0, 2], np.int32))
    config = ModelConfig(source="./hub.keras", objects=("keras_hub.models",))
    model = build(config, Data(split, split, split, source="test", num_classes=3), seed=1, folder=tmp_path).model
    given = {"token_ids": _IDS, "padding_mask": (_IDS != 0) * 1, "segment_ids": _IDS * 0}
    assert np.allclose(model(_IDS), whole(given), atol=1e-5)
