"""Contract suite of zoo models. Subclass `ModelContract` to check yours:

class TestTinyNet(ModelContract):
    source = "tiny_net"
    input_shape = (16, 16, 3)
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.types import Model
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.errors import StageError

if TYPE_CHECKING:
    from tfopt.backend.data.splits import Data
    from tfopt.backend.types import Array
    from tfopt.core.contracts.types import Model


class ModelContract:
    """One model.

    Attributes:
        source: its name in a recipe, or `package.module:function`.
        input_shape: of the examples it is tried with, without the batch axis.
        num_outputs: classes it is tried with.
        args: arguments it is tried with.
        parameters: how many weights it then has, where that is known from another source.
        reproduces: whether it is an autoencoder rather than a classifier.
        tokens: inputs are ids below this number; None for inputs that are quantities.
        predicts_tokens: whether it has an output for each position, as a language model has.
        predicts_pixels: whether it has an output for each pixel, as a model of segmentation has.
        refuses: a shape it cannot work with, if there is one.
    """

    source: ClassVar[str]
    input_shape: ClassVar[tuple[int, ...]]
    num_outputs: ClassVar[int] = 3
    args: ClassVar[dict[str, object]] = {}
    parameters: ClassVar[int | None] = None
    reproduces: ClassVar[bool] = False
    tokens: ClassVar[int | None] = None
    predicts_tokens: ClassVar[bool] = False
    predicts_pixels: ClassVar[bool] = False
    refuses: ClassVar[tuple[int, ...] | None] = None

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls) -> Data:
        return cls.make_data(cls.input_shape)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, data: Data) -> Model:
        return cls.build(data, seed=1)

    @pytest.fixture(scope="class")
    @classmethod
    def other(cls, data: Data) -> Model:
        """With weights of another seed; trained at the end."""
        return cls.build(data, seed=2)

    @classmethod
    def make_data(cls, shape: tuple[int, ...]) -> Data:
        from tfopt.backend.data.splits import Data, Split

        n = max(6, cls.num_outputs)
        random = np.random.RandomState(0)
        inputs: Array = random.rand(n, *shape).astype(np.float32)
        if cls.tokens is not None:
            inputs = (inputs * cls.tokens).astype(np.int32)
        labels = np.arange(n, dtype=np.int32) % cls.num_outputs
        if cls.predicts_tokens or cls.predicts_pixels:
            positions = shape if cls.predicts_tokens else shape[:2]
            labels = random.randint(0, cls.num_outputs, (n, *positions), dtype=np.int32)
        split = Split(inputs, inputs if cls.reproduces else labels)
        num_classes = None if cls.reproduces else cls.num_outputs
        return Data(split, split, split, source="contract", num_classes=num_classes)

    @classmethod
    def build(cls, data: Data, seed: int) -> Model:
        from tfopt.backend.models import build as models

        return models.build(ModelConfig(source=cls.source, args=cls.args), data, seed).model

    @classmethod
    def compile_config(cls) -> Compile:
        if cls.reproduces:
            return Compile.model_validate({"loss": "mse", "metrics": ["mse"]})
        return Compile()

    def test_says_in_one_line_what_it_is(self) -> None:
        from tfopt.catalog import references

        function = (
            references.function(self.source, Path())
            if references.is_function(self.source)
            else references.by_name("model", self.source)
        )
        summary = (inspect.getdoc(inspect.getmodule(function)) or inspect.getdoc(function) or "").splitlines()
        assert summary, f"{self.source} has no docstring: `tfopt ls models` has nothing to show"
        assert len(summary[0]) <= 120
        for name, parameter in inspect.signature(function).parameters.items():
            known = name in ("input_shape", "num_outputs")
            assert known or parameter.default is not parameter.empty, f"argument {name!r} needs a default"

    def test_fits_its_data(self, model: Model, data: Data) -> None:
        from tfopt.backend.models import build as models

        assert models.check_fits(model, data, self.compile_config()) == []
        assert self.parameters is None or model.count_params() == self.parameters

    def test_is_a_graph_of_named_layers(self, model: Model) -> None:
        names = [layer.name for layer in model.layers]
        assert len(set(names)) == len(names)
        for layer in model.layers:
            assert not layer.name.rpartition("_")[2].isdigit(), f"{layer.name} looks like an automatic name"
        if not self.reproduces:
            assert "logits" in names, "rules and stages find the last layer with weights by the name 'logits'"

    def test_weights_follow_the_seed(self, model: Model, other: Model, data: Data) -> None:
        from tfopt.backend.models import build as models

        assert models.model_fingerprint(self.build(data, seed=1)) == models.model_fingerprint(model)
        assert models.model_fingerprint(other) != models.model_fingerprint(model)

    def test_outputs_survive_the_store(self, model: Model, data: Data, tmp_path: Path) -> None:
        from tfopt.backend.models import build as models

        models.save_model(model, tmp_path)
        again = models.load_model(tmp_path)
        inputs = data.train.inputs
        assert np.array_equal(model(inputs, training=False).numpy(), again(inputs, training=False).numpy())
        assert models.model_fingerprint(again) == models.model_fingerprint(model)

    def test_records_cover_every_weight(self, model: Model) -> None:
        from tfopt.backend.models import build as models

        records = models.layer_records(model, {"logits": "why not"})
        assert sum(record.parameters for record in records) == model.count_params()
        assert all(record.skipped == ("why not" if record.name == "logits" else None) for record in records)
        assert all(record.sparsity < 0.5 for record in records)

    def test_learns_something(self, other: Model, data: Data) -> None:
        config = self.compile_config()
        other.compile("adam", config.single_loss.name, run_eagerly=True)  # two steps cost less than their graph
        before = other.get_weights()
        history = other.fit(data.train.inputs, data.train.targets, epochs=2, verbose=0).history["loss"]
        assert np.isfinite(history).all()
        assert any(not np.array_equal(old, new) for old, new in zip(before, other.get_weights(), strict=True))

    def test_refuses_what_it_cannot_take(self) -> None:
        if self.refuses is None:
            pytest.skip(f"{self.source} takes any shape")
        with pytest.raises(StageError, match="the examples have"):
            self.build(self.make_data(self.refuses), seed=1)
