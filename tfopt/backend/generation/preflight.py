"""What is known about the files of a language model before training."""

from __future__ import annotations

from collections.abc import Iterator

import tf_keras

from tfopt.backend.export.preflight import unmatched_mistakes
from tfopt.backend.generation.litertlm import has_runtime
from tfopt.backend.generation.prepare import Prepared, Unfit, prepare
from tfopt.backend.quantizer.preflight import quantizer_preflight
from tfopt.core.config.files.generate_file import GenerateKeys
from tfopt.core.contracts.export import ExportWorkload
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.errors import TfoptError


def generate_preflight(model: tf_keras.Model, keys: GenerateKeys, workload: ExportWorkload) -> Preflight:
    """Problems and warnings about `export.generate`.

    Args:
        model: the model that the recipe starts with; it is tried on a few tokens.
        keys: of the recipe.
        workload: data, and what the exported model will be.
    """
    try:
        prepared = prepare(model, keys, workload.data)
    except Unfit as unfit:
        return Preflight(problems=(Mistake(unfit.path, unfit.message, code=unfit.code),))
    except TfoptError as error:  # a tokenizer that cannot be read
        return Preflight(problems=(Mistake((), str(error), code=error.code),))
    variants = {name: file.variant for name, file in keys.files.items()}
    found = quantizer_preflight(model, variants, workload.traits)
    problems = tuple(problem.below("files") for problem in (*unmatched_mistakes(model, variants), *found.problems))
    warnings = (*(f"generate: {warning}" for warning in found.warnings), *_warnings(prepared, workload))
    return Preflight(problems=problems, warnings=warnings)


def _warnings(prepared: Prepared, workload: ExportWorkload) -> Iterator[str]:
    if prepared.without:
        yield f"generate: no .litertlm file will be made: {prepared.without}."
    if prepared.litertlm and not has_runtime():
        yield (
            "generate: that LiteRT-LM runs the .litertlm files will not be checked: litert-lm-api is not installed "
            "(pip install 'tfopt[lm]')."
        )
    if "quantized" in workload.traits:
        yield "generate: the files will be made of the float weights; the integers that qat simulates are not in them."
