"""What metadata says about a model, in the tables of `metadata_schema.fbs`.

Numbers are positions of fields, types of unions and values of enumerations of that schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfopt.backend.bundle.metadata.tables import Byte, Floats, Table, Unsigned, Value, encoded

IDENTIFIER = b"M001"
LABELS = "labels.txt"
"""Name of the file with one label in each line, in the order of the outputs."""

_PARSER = "1.0.0"
"""The oldest parser that understands what is written here."""
_FEATURE, _IMAGE = 1, 2
"""Types of the union ContentProperties."""
_NORMALIZATION = 1
"""Type of the union ProcessUnitOptions."""
_COLOR_SPACES = {3: 1, 1: 2}
"""RGB and GRAYSCALE, by number of channels."""
_DESCRIPTIONS, _TENSOR_AXIS_LABELS = 1, 2
"""Values of AssociatedFileType."""


@dataclass(frozen=True)
class TensorMeaning:
    """What is said about one input or output.

    Args:
        name: of the tensor, for apps.
        description: a sentence.
        image_size: width and height, for an image.
        channels: of an image: 3 for RGB, 1 for grey.
        mean: of the normalization `(raw - mean) / std`; empty where none is known.
        std: the same.
        low: smallest value after normalization; empty where it is not known.
        high: the largest.
        labels: name of the file with a label for each value of the last axis; empty without.
    """

    name: str
    description: str = ""
    image_size: tuple[int, int] | None = None
    channels: int = 0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    labels: str = ""


@dataclass(frozen=True)
class ModelMeaning:
    """What is said about a model.

    Args:
        name: of the model.
        description: a sentence or more.
        version: of the model, as its author counts.
        author: person or organization.
        licence: of the model.
        inputs: in the order of the file.
        outputs: in the order of the file.
        files: associated files that no tensor names, with what they are.
    """

    name: str
    description: str = ""
    version: str = ""
    author: str = ""
    licence: str = ""
    inputs: Sequence[TensorMeaning] = ()
    outputs: Sequence[TensorMeaning] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def metadata(meaning: ModelMeaning) -> bytes:
    """The FlatBuffer that describes a model."""
    subgraph = Table({0: meaning.name, 2: _tensors(meaning.inputs), 3: _tensors(meaning.outputs)})
    files = [Table({0: name, 1: what, 2: Byte(_DESCRIPTIONS)}) for name, what in meaning.files.items()]
    root: dict[int, Value] = {
        0: meaning.name,
        1: meaning.description,
        2: meaning.version,
        3: [subgraph],
        4: meaning.author,
        5: meaning.licence,
        6: files,
        7: _PARSER,
    }
    return encoded(Table(root), IDENTIFIER)


def _tensors(tensors: Sequence[TensorMeaning]) -> list[Table]:
    return [_tensor(tensor) for tensor in tensors]


def _tensor(tensor: TensorMeaning) -> Table:
    units = []
    if tensor.mean:
        units.append(Table({0: Byte(_NORMALIZATION), 1: Table({0: Floats(tensor.mean), 1: Floats(tensor.std)})}))
    what = "One label in each line, in the order of the values."
    labels = Table({0: tensor.labels, 1: what, 2: Byte(_TENSOR_AXIS_LABELS)})
    return Table(
        {
            0: tensor.name,
            1: tensor.description,
            3: _content(tensor),
            4: units,
            5: Table({0: Floats(tensor.high), 1: Floats(tensor.low)}) if tensor.low and tensor.high else None,
            6: [labels] if tensor.labels else [],
        }
    )


def _content(tensor: TensorMeaning) -> Table:
    if tensor.image_size is None:
        return Table({0: Byte(_FEATURE), 1: Table({})})
    width, height = tensor.image_size
    size = Table({0: Unsigned(width), 1: Unsigned(height)})
    image = Table({0: Byte(_COLOR_SPACES[tensor.channels]), 1: size})
    return Table({0: Byte(_IMAGE), 1: image})
