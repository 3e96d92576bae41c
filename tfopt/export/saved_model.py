"""A SavedModel with a serving signature: for servers, and for any converter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Discriminator, Tag

from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.config.files.normalization import Normalization
from tfopt.core.config.files.tflite_variant import Batch
from tfopt.core.contracts.export import Export, ExportContext, ExportWorkload
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight
    from tfopt.core.records.report import ExportRecord


def _known_or_given(value: object) -> str:
    """Which form of `include_preprocessing` a value is."""
    return "given" if isinstance(value, (Mapping, Normalization)) else "known"


class SavedModel(Export):
    """Writes `saved_model/`; the float weights as trained, also after qat."""

    accept: tuple[AcceptedClaim, ...] | None = None
    """Claims about this file that may be broken, each with the reason: a known deviation is shown as accepted and does
    not fail the run."""
    batch: Batch | None = None
    """Examples per call of its signature: `1` or `dynamic` (default: `dynamic`)."""
    shape: Literal["data", "dynamic"] = "dynamic"
    """Axes that the model leaves open: `data` fixes them to the size of the examples."""

    include_preprocessing: (
        Annotated[
            Annotated[bool, Tag("known")] | Annotated[Normalization, Tag("given")], Discriminator(_known_or_given)
        ]
        | None
    ) = None
    """Makes `serving_default` take raw examples, which are resized, normalized or tokenized inside as the data source
    did it; the signature `prepared` takes inputs as the model does. `true` where the source says what it did (image
    data sets, folders of images, texts with a tokenizer of characters or words), or `{mean: 127.5, std: 127.5}` for
    others."""

    def preflight(self, model: Model, workload: ExportWorkload) -> Preflight:
        from tfopt.core.contracts.preflight import Preflight

        if not self.include_preprocessing:
            return Preflight()
        from tfopt.backend.export.raw_inputs import preprocessing_mistake

        wrong = preprocessing_mistake(model, self.normalization, workload.data)
        if wrong is None:
            return Preflight()
        return Preflight(problems=(Mistake(("include_preprocessing",), wrong, code="conflicting_keys"),))

    @property
    def normalization(self) -> Normalization | None:
        """What the recipe says about raw values; None where that is left to the data source."""
        return self.include_preprocessing if isinstance(self.include_preprocessing, Normalization) else None

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.export.keras_files import keras as keras_files
        from tfopt.backend.export.raw_inputs import raw_inputs
        from tfopt.backend.export.texts.raw_texts import raw_texts

        batch = self.batch if isinstance(self.batch, int) else None
        raw = None
        if self.include_preprocessing:
            raw = raw_inputs(context.data, self.normalization) or raw_texts(context.data)
        accept = self.accept or ()
        return [keras_files.export_saved_model(model, context, accept, batch, self.shape == "data", raw)]
