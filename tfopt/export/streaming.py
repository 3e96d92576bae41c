"""Recurrent models that read a stream on a phone, a few frames at a time: state in, state out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tfopt.core.config.files.generate_file import GenerateFile, GenerateFiles, StreamingKeys
from tfopt.core.contracts.export import Export, ExportContext, ExportWorkload
from tfopt.core.contracts.types import Model

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight
    from tfopt.core.records.report import ExportRecord


class Streaming(Export):
    """Writes `streaming_<file>.tflite` with a signature `stream_<n>` for pieces of n frames.

    For keyword spotting and series: LSTM, GRU and other recurrent layers, causal Conv1D, global pooling, and layers
    that see one frame. After qat, the float weights as trained.
    """

    converts: ClassVar[bool] = True

    frames: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1,)
    """Frames of a call; a signature for each."""
    files: GenerateFiles = Field(default_factory=lambda: {"float32": GenerateFile()})
    """The files by name, with the keys of a file of `generate` (default: `float32`)."""

    @property
    def keys(self) -> StreamingKeys:
        """The same for the backend."""
        return StreamingKeys(self.files, self.frames)

    def names(self) -> tuple[str, ...]:
        return tuple(f"streaming_{name}" for name in self.files)

    def preflight(self, model: Model, workload: ExportWorkload) -> Preflight:
        from tfopt.backend.generation.streaming.prepare import streaming_preflight

        return streaming_preflight(model, self.keys, workload)

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.generation.streaming import export

        return export.export(model, self.keys, context)
