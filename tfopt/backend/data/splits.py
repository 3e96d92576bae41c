"""Examples: one split, the three splits of a data set, and what must travel with a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np

from tfopt.atomic import replacing
from tfopt.backend.data.arrays.reading import all_in_memory, arrays_in_memory, named, parts
from tfopt.backend.data.arrays.views import LazyArray, largest, selected
from tfopt.backend.data.drawing import random_order
from tfopt.backend.data.labels import is_one_hot, most_frequent
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.types import Array, Arrays, ExampleArrays, Nested
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.core.language.wording import counted
from tfopt.core.records.cache import CacheRecord
from tfopt.core.records.report import DataRecord
from tfopt.core.records.text import TextRecord


@dataclass(frozen=True)
class Preprocessing:
    """What turned raw examples into the inputs of a model, and must travel with the model: a tokenizer, say.

    Args:
        name: what it is, for people: `tokenizer`.
        files: its content by file name, as it is written next to a model.
    """

    name: str
    files: Mapping[str, bytes]

    def update(self, digest: hashlib._Hash) -> None:
        """Adds its content to the fingerprint of the data."""
        for file in sorted(self.files):
            digest.update(f"preprocessing {self.name!r} {file!r} {len(self.files[file])}\n".encode())
            digest.update(self.files[file])


@dataclass(frozen=True, eq=False)
class Split:
    """Examples that are used together.

    Args:
        inputs: array, or arrays by input name; in memory or not (`tfopt.backend.data.arrays`).
        targets: array, or arrays by output name, in memory or not; the very object `inputs` where a model is to
            reproduce its input.
        anomalies: which examples are anomalies, (n,) bool, so that a model that reproduces its input can be judged by
            finding them; None where that is not known.
        weights: how much each example counts in the loss, (n,), or each of its positions, (n, ...), by output name
            where the targets are; None where all count the same.
        keys: what each example belongs to, (n,) text, until the splits are made; None where nothing needs it.
    """

    inputs: ExampleArrays
    targets: ExampleArrays
    anomalies: Array | None = None
    weights: Arrays | None = None
    keys: Array | None = None

    def __len__(self) -> int:
        return num_examples(self.inputs)

    @property
    def in_memory(self) -> bool:
        """Whether all examples are in memory."""
        return all_in_memory(self.inputs) and all_in_memory(self.targets)

    @cached_property
    def tensors(self) -> tuple[Nested, Nested]:
        """Inputs and targets in memory as tensors; made once, for every stage reads the same examples."""
        import tensorflow as tf

        with tf.device("CPU:0"):
            inputs = tf.nest.map_structure(tf.convert_to_tensor, self.inputs)
            same = self.targets is self.inputs
            return inputs, inputs if same else tf.nest.map_structure(tf.convert_to_tensor, self.targets)

    def take(self, n: int, seed: int) -> Split:
        """`n` examples drawn without replacement, always the same for the same seed; all of them if there are fewer.

        A smaller draw with the same seed is the beginning of a larger one. They are in memory.

        Raises:
            StageError: there is not enough memory for them.
        """
        return self.select(random_order(len(self), seed)[:n]).read(f"{n:,} examples")

    def read(self, what: str) -> Split:
        """The same examples, in memory.

        Args:
            what: what they are, at the beginning of a sentence.

        Raises:
            StageError: there is not enough memory for them.
        """
        if self.in_memory:
            return self
        inputs = arrays_in_memory(self.inputs, what)
        targets = inputs if self.targets is self.inputs else arrays_in_memory(self.targets, what)
        return replace(self, inputs=inputs, targets=targets)

    def select(self, positions: Array) -> Split:
        """The examples at `positions`, in that order; those that are not in memory are not read."""
        inputs = _each(self.inputs, positions)
        targets = inputs if self.targets is self.inputs else _each(self.targets, positions)
        return Split(
            inputs,
            targets,
            None if self.anomalies is None else self.anomalies[positions],
            None if self.weights is None else cast("Arrays", _each(self.weights, positions)),
            None if self.keys is None else self.keys[positions],
        )


class OutputSizes(dict[str, int]):
    """How many numbers each of several outputs has, by its name.

    Args:
        sizes: number of classes, or of quantities.
        quantities: names of the outputs that are no choice among classes.
    """

    def __init__(self, sizes: Mapping[str, int], quantities: frozenset[str]) -> None:
        super().__init__(sizes)
        self.quantities = quantities


@dataclass(frozen=True, eq=False)
class Data:
    """The data of a run: what a recipe's `data` block describes.

    Args:
        train: what the optimizer, calibration and augmentation see.
        validation: what early stopping and curves see.
        test: source of the final metrics; nothing else sees it.
        source: as the recipe names it.
        settings: how the splits were made, as text; part of the fingerprint.
        num_classes: number of classes for integer labels, else None.
        class_names: names of the classes, where the source has them.
        classes_of_outputs: the same by output name, of several outputs whose labels are text.
        preprocessing: what must travel with a model; None where nothing must. Part of the fingerprint.
        positional: the source gave several inputs in order, not by name.
        raw: what the source did to raw examples; None where it does not say. Not part of the fingerprint: the examples
            are.
        label_names: names of the classes for apps: `class_names`, or what the source calls its numbers; not part of the
            fingerprint.
        anchors: what the targets of a detector are relative to; None for other data. Part of `settings`.
        text: how texts became token ids; None for other data. Not part of the fingerprint: the ids are.
        cache: where the examples are, where a source did not have them in memory. Not part of the fingerprint.
        remembered: folder of fingerprints of examples that are not in memory; None where they are not remembered.
    """

    train: Split
    validation: Split
    test: Split
    source: str
    settings: str = ""
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    classes_of_outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    preprocessing: Preprocessing | None = None
    positional: bool = False
    raw: RawInputs | None = None
    label_names: tuple[str, ...] | None = None
    text: TextRecord | None = None
    anchors: AnchorGrid | None = None
    cache: CacheRecord | None = None
    remembered: Path | None = None

    @property
    def input_shape(self) -> tuple[int, ...] | dict[str, tuple[int, ...]]:
        """Shape of one example, without the batch axis; by name where there are several inputs."""
        inputs = self.train.inputs
        if isinstance(inputs, dict):
            return {name: tuple(array.shape[1:]) for name, array in inputs.items()}
        return tuple(inputs.shape[1:])

    @property
    def num_outputs(self) -> int:
        """Number of classes for integer labels, else the size of the targets' last axis (one-hot integers, too); of
        objects that are to be detected, the number of their classes."""
        if self.anchors is not None:
            return len(self.label_names or ())
        targets = self.train.targets
        if self.num_classes is not None and (isinstance(targets, dict) or not is_one_hot(targets)):
            return self.num_classes
        first = next(iter(targets.values())) if isinstance(targets, dict) else targets
        return int(first.shape[-1])

    @property
    def sizes_of_outputs(self) -> OutputSizes:
        """Of several targets: the number of classes, or the size of the last axis, by output name; else empty."""
        targets = self.train.targets
        if self.anchors is not None or not isinstance(targets, dict):
            return OutputSizes({}, frozenset())
        sizes, quantities = {}, set()
        for name, array in targets.items():
            one_hot = is_one_hot(array)
            labels = array.dtype.kind in "iu" and not one_hot
            sizes[name] = largest(array) + 1 if labels else int(array.shape[-1])
            if not labels and not one_hot:
                quantities.add(name)
        return OutputSizes(sizes, frozenset(quantities))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every example, in order, and over how the splits were made.

        It does not depend on where the examples are. Of those that are not in memory it is remembered, by the names,
        sizes and times of change of their files: reading them takes long.
        """
        file = self._remembered_in()
        if file is None:
            return self._digest("tfopt data 1\n", _update)
        if file.is_file():
            return file.read_text(encoding="ascii")
        found = self._digest("tfopt data 1\n", _update)
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            temporary.write_text(found, encoding="ascii")
        return found

    def _remembered_in(self) -> Path | None:
        """The file of the fingerprint; None where all is in memory, or what it follows from is not known."""
        lazy = [
            array
            for split in (self.train, self.validation, self.test)
            for array in (*named(split.inputs).values(), *named(split.targets).values())
            if isinstance(array, LazyArray)
        ]
        if self.remembered is None or not lazy or any(array.identity is None for array in lazy):
            return None
        return self.remembered / self._digest("", _update_by_identity)

    def _digest(self, title: str, update: Callable[[hashlib._Hash, str, ExampleArrays], None]) -> str:
        digest = hashlib.sha256(f"{title}{self.settings}\n{self.num_classes}\n{self.class_names}\n".encode())
        for split in (self.train, self.validation, self.test):
            update(digest, "inputs", self._inputs_in_fingerprint(split))
            if split.targets is not split.inputs:
                update(digest, "targets", split.targets)
            if split.anomalies is not None:
                update(digest, "anomalies", split.anomalies)
            if split.weights is not None:
                update(digest, "weights", split.weights)
        if self.preprocessing is not None:
            self.preprocessing.update(digest)
        for output, classes in sorted(self.classes_of_outputs.items()):
            digest.update(f"classes of {output!r} {classes}\n".encode())
        return digest.hexdigest()

    def _inputs_in_fingerprint(self, split: Split) -> ExampleArrays:
        """Inputs in order count by position: the same data for models that call their inputs differently."""
        if not self.positional or not isinstance(split.inputs, dict):
            return split.inputs
        return {f"{position:03d}": array for position, array in enumerate(split.inputs.values())}

    def warnings(self) -> list[str]:
        """What a plan must say about the data."""
        if self.cache is None or not self.cache.skipped:
            return []
        first = "; ".join(self.cache.first_skipped)
        what = counted(self.cache.skipped, "example that cannot be read is", "examples that cannot be read are")
        return [f"{self.source}: {what} left out: {first}."]

    def record(self) -> DataRecord:
        """What the report says about the data."""
        return DataRecord(
            source=self.source,
            fingerprint=self.fingerprint,
            train=len(self.train),
            validation=len(self.validation),
            test=len(self.test),
            text=self.text,
            cache=self.cache,
            most_frequent=self._most_frequent(),
        )

    def _most_frequent(self) -> dict[str, float] | None:
        """Of the test examples; None where they have no labels, or weights that accuracy counts."""
        if self.test.weights is not None or self.test.targets is self.test.inputs:
            return None
        return most_frequent(self.test.targets) or None


def num_examples(arrays: ExampleArrays) -> int:
    """Length of the first axis."""
    return len(next(iter(arrays.values())) if isinstance(arrays, dict) else arrays)


def _each(arrays: ExampleArrays, positions: Array) -> ExampleArrays:
    if isinstance(arrays, dict):
        return {name: selected(array, positions) for name, array in arrays.items()}
    return selected(arrays, positions)


def _update(digest: hashlib._Hash, what: str, arrays: ExampleArrays) -> None:
    for name, array in sorted(named(arrays).items()):
        digest.update(f"{what} {name!r} {array.dtype.str} {array.shape}\n".encode())
        for part in parts(array):
            digest.update(np.ascontiguousarray(part).data if part.size else b"")


def _update_by_identity(digest: hashlib._Hash, what: str, arrays: ExampleArrays) -> None:
    for name, array in sorted(named(arrays).items()):
        if isinstance(array, LazyArray):
            digest.update(f"{what} {name!r} {array.identity}\n".encode())
        else:
            _update(digest, what, {name: array})
