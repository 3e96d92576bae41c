"""A folder that an app team can take: files with metadata, golden examples, code to begin with, a model card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.files.bundle_keys import BundleKeys
from tfopt.core.contracts.export import Export, ExportContext, ExportWorkload
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight
    from tfopt.core.records.report import ExportRecord


class Bundle(BundleKeys, Export):
    """Writes `bundle/` and `bundle.zip` after all `.tflite` files, from those that were made."""

    last: ClassVar[bool] = True

    def problems_beside(self, others: Sequence[Export]) -> Iterator[Mistake]:
        known = [name for other in others for name in other.tflite_files()]
        if not known:
            message = "export.bundle is made of .tflite files, and the recipe has no export.tflite"
            yield Mistake((), message, code="conflicting_keys")
            return
        for index, name in enumerate(self.variants or ()):
            if name not in known:
                guess = closest(name, known) or f" Files: {', '.join(known)}."
                message = f"export.bundle.variants names {name!r}, which export.tflite does not write.{guess}"
                yield Mistake(("variants", index), message, code="unknown_export")
            elif name in (self.variants or ())[:index]:
                message = f"export.bundle.variants names {name!r} twice"
                yield Mistake(("variants", index), message, code="duplicate_name")

    def preflight(self, model: Model, workload: ExportWorkload) -> Preflight:
        from tfopt.backend.bundle.preflight import bundle_preflight

        return bundle_preflight(model, self, workload)

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        from tfopt.backend.bundle import bundle

        return [bundle.export(model, self, context)]
