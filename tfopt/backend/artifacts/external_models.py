"""External models: results of other recipes and seeds in the store, and model files.

What can be trained on is a `tf_keras.Model`; a `.tflite` can only predict.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.artifacts import stage_artifacts
from tfopt.backend.audit import inspect as inspection
from tfopt.backend.data.arrays.stored import save_rows
from tfopt.backend.graph.outputs import output_names
from tfopt.backend.models import build as models
from tfopt.backend.tflite import predict
from tfopt.backend.types import ExampleArrays, Shape
from tfopt.catalog.own_code import importable
from tfopt.core.config.model_source import ModelLocation
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


@dataclass(frozen=True)
class TfliteModel:
    """A `.tflite` file that predicts.

    Args:
        path: the file.
        inputs: shape of each input by name, without the batch axis.
        outputs: shape of each output by name, without the batch axis.
    """

    path: Path
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]

    def predict(self, examples: ExampleArrays) -> np.ndarray:
        """Outputs of the file, (examples, ...), computed in a process of its own.

        Args:
            examples: (examples, ...), or by input name where there are several inputs.

        Raises:
            ExportError: LiteRT refuses the file or the examples.
        """
        by_name = examples if isinstance(examples, Mapping) else {next(iter(self.inputs)): examples}
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            files = {name: work / f"input.{number}.npy" for number, name in enumerate(by_name)}
            for name, values in by_name.items():
                save_rows(files[name], values)
            outputs = predict.run_file(self.path, files, work).outputs
        return next(iter(outputs.values()))


ExternalModel = tf_keras.Model | TfliteModel


def load_external_model(location: ModelLocation) -> ExternalModel:
    """Loads an external model.

    Args:
        location: from `StageContext.sources`.

    Returns:
        A model without wrappers; for a quantized result, the one that simulates 8 bits.

    Raises:
        StageError: the file cannot be loaded.
        StoreError: the store entry cannot be read.
    """
    if location.kind == "file":
        return load_file(location.path)
    with importable(location.code):
        return stage_artifacts.inference_model(stage_artifacts.load(location.path))


def load_file(path: Path) -> ExternalModel:
    """Loads a `.keras`, `.h5`, SavedModel or `.tflite`.

    Raises:
        StageError: it cannot be loaded, or is not a functional model.
        ExportError: the `.tflite` is malformed.
    """
    if path.suffix != ".tflite":
        # A file contains its shapes; these arguments are for models that are built for their data.
        return models.build_alone(str(path.absolute()), (1,), 1)
    audit = inspection.inspect(path)
    inputs, outputs = (
        {port.name: tuple(size if size > 0 else None for size in (port.shape or ())[1:]) for port in ports}
        for ports in (audit.inputs, audit.outputs)
    )
    if len(outputs) != 1:
        raise StageError(
            f"{path} has {counted(len(outputs), 'output')}: {', '.join(outputs)}.",
            "Expected a file with one; for a student with several outputs, name a Keras model.",
            code="incompatible_model",
        )
    return TfliteModel(path, inputs, outputs)


def reason_incompatible(other: ExternalModel, model: tf_keras.Model) -> str | None:
    """Returns how the inputs or outputs of an external model differ from those of a model.

    Args:
        other: the external model.
        model: the model of the recipe.

    Returns:
        The end of a sentence that begins with the name of `other`; None where the shapes fit.
    """
    theirs, ours = _shapes(other, "inputs"), _shapes(model, "inputs")
    if len(theirs) != len(ours) or not all(_compatible(one, two) for one, two in zip(theirs, ours, strict=True)):
        return f"expects examples of shape {_format(theirs)}, but this recipe's model expects {_format(ours)}."
    theirs, ours = _shapes(other, "outputs"), _shapes(model, "outputs")
    if isinstance(other, tf_keras.Model) and set(output_names(other)) == set(output_names(model)):
        by_name = dict(zip(output_names(other), theirs, strict=True))
        theirs = [by_name[name] for name in output_names(model)]  # which may be in another order
    if len(theirs) != len(ours) or not all(_compatible(one, two) for one, two in zip(theirs, ours, strict=True)):
        return f"returns outputs of shape {_format(theirs)}, but this recipe's model returns {_format(ours)}."
    return None


def _shapes(model: ExternalModel, side: str) -> list[Shape]:
    if isinstance(model, TfliteModel):
        return list(getattr(model, side).values())
    return [tuple(tensor.shape[1:]) for tensor in getattr(model, side)]


def _compatible(one: Shape, other: Shape) -> bool:
    return len(one) == len(other) and all(a == b or None in (a, b) for a, b in zip(one, other, strict=True))


def _format(shapes: list[Shape]) -> str:
    return " and ".join(str(shape) for shape in shapes)
