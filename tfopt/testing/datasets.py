"""Contract suite of data sets. Subclass `DatasetContract` to check yours:

class TestFlowers(DatasetContract):
    source = "flowers"
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pytest

from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

if TYPE_CHECKING:
    from tfopt.backend.data.splits import Data
    from tfopt.backend.types import Array, ExampleArrays


class DatasetContract:
    """One data set.

    Attributes:
        source: its name in a recipe, or `package.module:function`.
        args: arguments that keep it small and quick; also must change nothing of what is promised.
        images: whether inputs are images in [0, 1].
        targets: `inputs` for data of models that reproduce their input.
        text: the `data.text` block, for data sets of texts.
    """

    source: ClassVar[str]
    args: ClassVar[dict[str, object]] = {}
    images: ClassVar[bool] = True
    targets: ClassVar[Literal["labels", "inputs"]] = "labels"
    text: ClassVar[dict[str, object] | None] = None

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls) -> Data:
        return cls.load()

    @classmethod
    def load(cls, **args: object) -> Data:
        from tfopt.backend.data.load import load

        keys = {} if cls.text is None else {"text": cls.text}
        return load(DataConfig(source=cls.source, args={**cls.args, **args}, targets=cls.targets, **keys))

    @classmethod
    def function(cls) -> Callable[..., object]:
        from tfopt.catalog import references

        if references.is_function(cls.source):
            return references.function(cls.source, Path())
        return references.by_name("dataset", cls.source)

    def test_says_in_one_line_what_it_is(self) -> None:
        function = self.function()
        module = inspect.getmodule(function)
        summary = (inspect.getdoc(module) or inspect.getdoc(function) or "").splitlines()
        assert summary, f"{self.source} has no docstring: `tfopt ls datasets` has nothing to show"
        assert len(summary[0]) <= 120

    def test_runs_without_arguments(self) -> None:
        for name, parameter in inspect.signature(self.function()).parameters.items():
            assert parameter.default is not parameter.empty, f"argument {name!r} needs a default"

    def test_refuses_an_unknown_argument(self) -> None:
        with pytest.raises(StageError, match="has no argument 'no_such_argument'"):
            self.load(no_such_argument=1)

    def test_is_the_same_every_time(self, data: Data) -> None:
        assert self.load().fingerprint == data.fingerprint

    def test_has_three_splits_of_one_shape(self, data: Data) -> None:
        assert min(len(data.train), len(data.validation), len(data.test)) > 0
        assert data.record().train == len(data.train)
        for split in (data.validation, data.test):
            for name, array in _named(split.inputs).items():
                assert array.shape[1:] == _named(data.train.inputs)[name].shape[1:]

    def test_inputs_are_what_keras_and_tflite_take(self, data: Data) -> None:
        for array in _named(data.train.inputs).values():
            assert array.dtype in (np.float32, np.int32, np.uint8)
            if self.images:
                assert array.dtype == np.float32
                assert array.ndim == 4
                assert array.min() >= 0
                assert 0.5 < array.max() <= 1

    def test_labels_cover_their_range(self, data: Data) -> None:
        if data.num_classes is None:
            pytest.skip(f"the targets of {self.source} are no labels")
        targets = np.asarray(data.train.targets)
        present = np.unique(targets)
        if targets.ndim > 1:
            # Labels of positions: a token such as padding need not occur.
            assert present[0] >= -1
            assert present[-1] < data.num_classes
        else:
            assert present.tolist() == list(range(data.num_classes))
        assert data.num_outputs == data.num_classes
        assert data.class_names is None or len(data.class_names) == data.num_classes


def _named(arrays: ExampleArrays) -> dict[str, Array]:
    from tfopt.backend.data.arrays.reading import in_memory, named

    return {name: in_memory(array) for name, array in named(arrays).items()}
