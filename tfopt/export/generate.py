"""Language models that generate on a phone: `.tflite` files with a cache, `.litertlm` for LiteRT-LM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from tfopt.core.config.files.generate_file import GenerateFile, GenerateFiles, GenerateKeys
from tfopt.core.contracts.export import Export, ExportContext, ExportWorkload
from tfopt.core.contracts.types import Model
from tfopt.core.language.block import KeyMistake

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight
    from tfopt.core.records.report import ExportRecord

_SAVED_MODEL = "saved_model"
Length = Annotated[int, Field(ge=1)]


class Generate(Export):
    """Writes `generate_<file>.tflite`: prefill in buckets, then token after token with the state of those before.

    The signatures are those that LiteRT-LM calls. After qat, the float weights as trained.
    """

    converts: ClassVar[bool] = True

    context: Annotated[int, Field(ge=2)] | None = None
    """Most tokens of prompt and generated text together (default: the length of the model's sequences)."""
    prefill: tuple[Length, ...] | None = None
    """Lengths of the buckets in which a prompt is read (default: 32 and 128, where the context is as long)."""
    verify: Annotated[int, Field(ge=2)] | None = None
    """An additional signature, `verify_<n>`: logits of so many tokens in one call, for speculative decoding."""
    cache: Literal["float32", "float16"] = "float32"
    """Type of the cached keys and values."""
    stop: tuple[str, ...] = ()
    """Tokens that end a text, as the tokenizer writes them."""
    litertlm: bool | None = None
    """Also `generate_<file>.litertlm` with tokenizer and metadata (default: where the model has a tokenizer, and caches
    of attention are its only state)."""
    saved_model: bool = False
    """Also `generate_saved_model/` with the same signatures."""
    files: GenerateFiles = Field(default_factory=lambda: {"float32": GenerateFile()})
    """The files by name (default: `float32`)."""

    @model_validator(mode="after")
    def _consistent(self) -> Generate:
        if self.saved_model and _SAVED_MODEL in self.files:
            message = f"a file cannot be called {_SAVED_MODEL} together with saved_model: true, which has this name"
            raise KeyMistake(("files", _SAVED_MODEL), message, on_key=True, code="invalid_name")
        if self.prefill == ():
            raise KeyMistake(("prefill",), "needs at least one length", code="invalid_value")
        if self.context is not None:
            longest = {"prefill": max(self.prefill or (0,)), "verify": self.verify or 0}
            for key, length in longest.items():
                if length > self.context:
                    message = f"{key}: {length} is longer than the context of {self.context} tokens"
                    raise KeyMistake((key,), message, code="conflicting_keys")
        return self

    @property
    def keys(self) -> GenerateKeys:
        """The same for the backend."""
        return GenerateKeys(
            self.files,
            self.context,
            self.prefill,
            self.verify,
            self.cache,
            self.stop,
            self.litertlm,
            self.saved_model,
        )

    def names(self) -> tuple[str, ...]:
        twin = (f"generate_{_SAVED_MODEL}",) if self.saved_model else ()
        return (*(f"generate_{name}" for name in self.files), *twin)

    def preflight(self, model: Model, workload: ExportWorkload) -> Preflight:
        from tfopt.backend.generation.preflight import generate_preflight

        return generate_preflight(model, self.keys, workload)

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.generation import export

        return export.export(model, self.keys, context)
