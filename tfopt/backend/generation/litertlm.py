"""The `.litertlm` file of a language model: its `.tflite`, tokenizer and metadata in the container of LiteRT-LM."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfopt.atomic import replacing

PACKAGE = "litert_lm"
"""What runs such files in Python; of the package `litert-lm-api`, in the extra `tfopt[lm]`."""
TOKENIZERS = ("tokenizer.json", "tokenizer.model")
"""Files of tokenizers that the container takes."""
NO_TOKEN = 2**31 - 1
"""Stop token of models without one: LiteRT-LM 0.18 opens no session without any, and no vocabulary has this one."""


def has_runtime() -> bool:
    """Whether LiteRT-LM is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def tokenizer_file(files: Mapping[str, bytes]) -> str | None:
    """The name of the tokenizer among the files that travel with a model."""
    return next((name for name in TOKENIZERS if name in files), None)


def write(tflite: Path, tokenizer: Path, stop: Sequence[int], context: int, target: Path) -> None:
    """Writes the container.

    Args:
        tflite: file with `prefill_<length>` and `decode`.
        tokenizer: its file, one of `TOKENIZERS`.
        stop: ids of the tokens that end a text; none for a text that goes on to the end of the context.
        context: most tokens of prompt and generated text together.
        target: the file.
    """
    from litert_lm_builder import litertlm_builder as builder
    from litert_lm_builder.runtime.proto import llm_metadata_pb2

    metadata = llm_metadata_pb2.LlmMetadata(max_num_tokens=context)
    metadata.llm_model_type.generic_model.SetInParent()
    for token in stop or (NO_TOKEN,):
        metadata.stop_tokens.add().token_ids.ids.append(token)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".litertlm-") as folder:
        described = Path(folder, "metadata.pb")
        described.write_bytes(metadata.SerializeToString(deterministic=True))
        with contextlib.redirect_stdout(io.StringIO()):
            made = builder.LitertLmFileBuilder()
            made.add_system_metadata(builder.Metadata("Authors", "tfopt", builder.DType.STRING))
            made.add_llm_metadata(str(described), supports_thinking=False, supports_function_calling=False)
            add = made.add_hf_tokenizer if tokenizer.suffix == ".json" else made.add_sentencepiece_tokenizer
            add(str(tokenizer))
            made.add_tflite_model(str(tflite), builder.TfLiteModelType.PREFILL_DECODE)
            with replacing(target) as part, part.open("wb") as stream:
                made.build(stream, validate_metadata=True)
