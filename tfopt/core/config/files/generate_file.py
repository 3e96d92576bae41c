"""One file of a language model: the keys of a file under `export.generate.files`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.config.files.algorithms import ALGORITHMS, MIN_MAX, AlgorithmName
from tfopt.core.config.files.file_rules import FileRule
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization_modes import DEFAULT, MODES, ModeName
from tfopt.core.language.block import KeyMistake, SharedBlock
from tfopt.core.language.quantities import Share

_NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"
FLOAT_MODES = tuple(name for name, mode in MODES.items() if not mode.integer_only)
"""The modes of such files: keys, values and states are floats."""


def _describe_modes() -> str:
    return "; ".join(f"`{name}`: {MODES[name].meaning}" for name in FLOAT_MODES) + "."


class GenerateFile(SharedBlock):
    """One file with state. All but `none` are made by litert-quantizer, which rounds each position by itself."""

    quantize: Annotated[ModeName, Field(description=_describe_modes())] = DEFAULT
    layers: tuple[FileRule, ...] | None = None
    """Ordered rules by layer name and/or type, for layers with a mode of their own, such as int2 tables of embeddings;
    the last that matches wins."""
    algorithm: AlgorithmName | None = None
    """How weights are rounded, as for `export.tflite`; not `gptq`."""
    agreement: Share | None = None
    """Least share of positions of test texts after which file and Keras model predict the same (default: by
    `quantize`)."""
    accept: tuple[AcceptedClaim, ...] | None = None
    """Claims about this file that may be broken, each with the reason: a known deviation is shown as accepted and does
    not fail the run."""

    @model_validator(mode="after")
    def _allowed(self) -> GenerateFile:
        if self.quantize not in FLOAT_MODES:
            message = (
                f"quantize: {self.quantize} computes in {MODES[self.quantize].activations}, and the state of a file is "
                f"float; it can be {', '.join(FLOAT_MODES)}"
            )
            raise KeyMistake(("quantize",), message, code="conflicting_keys")
        if self.algorithm is not None and ALGORITHMS[self.algorithm].calibrated:
            message = (
                f"algorithm: {self.algorithm} needs examples of one call, and these files have states between calls"
            )
            raise KeyMistake(("algorithm",), message, code="conflicting_keys")
        _ = self.variant  # its own checks
        return self

    @property
    def variant(self) -> Variant:
        """The same as a variant of `export.tflite` that litert-quantizer makes."""
        known = ALGORITHMS[MIN_MAX].applies_to(MODES[self.quantize])
        return Variant(
            quantize=self.quantize,
            layers=self.layers,
            algorithm=self.algorithm or (MIN_MAX if known else None),
            agreement=self.agreement,
            accept=self.accept,
        )


def _with_bodies(value: object) -> object:
    # A file without a body (`float32:`) is one with all defaults.
    return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, Mapping) else value


def _usable_as_file_names(value: dict[str, GenerateFile]) -> dict[str, GenerateFile]:
    for name in value:
        if not re.fullmatch(_NAME, name):
            message = f"file {name!r} becomes a file name: use letters, digits, '-' and '_'"
            raise KeyMistake((name,), message, on_key=True, code="invalid_name")
    return value


GenerateFiles: TypeAlias = Annotated[
    dict[str, GenerateFile],
    Field(min_length=1),
    BeforeValidator(_with_bodies),
    AfterValidator(_usable_as_file_names),
]
"""Files by name, of `export.generate` and `export.streaming`."""


@dataclass(frozen=True)
class GenerateKeys:
    """The keys of `export.generate`, as the backend reads them; see `tfopt.export.generate.Generate`.

    Args:
        files: by name.
        context: None for the length of the model's sequences.
        prefill: lengths of buckets; None for the default.
        verify: tokens of the signature for speculative decoding; None for none.
        cache: dtype of keys and values.
        stop: tokens that end a text.
        litertlm: None where it is possible.
        saved_model: whether the SavedModel is kept.
    """

    files: Mapping[str, GenerateFile]
    context: int | None = None
    prefill: tuple[int, ...] | None = None
    verify: int | None = None
    cache: str = "float32"
    stop: tuple[str, ...] = ()
    litertlm: bool | None = None
    saved_model: bool = False


@dataclass(frozen=True)
class StreamingKeys:
    """The keys of `export.streaming`, as the backend reads them; see `tfopt.export.streaming.Streaming`.

    Args:
        files: by name.
        frames: of a call, for each signature.
    """

    files: Mapping[str, GenerateFile]
    frames: tuple[int, ...] = (1,)
