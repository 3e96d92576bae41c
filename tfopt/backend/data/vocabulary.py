"""How many ids the inputs of a model can have, and the tokenizer that they come from."""

from __future__ import annotations

import numpy as np

from tfopt.backend.data.arrays.reading import named
from tfopt.backend.data.arrays.views import extremes
from tfopt.backend.data.splits import Data
from tfopt.backend.text.tokenizer import NAME, SENTENCEPIECE_MODEL, TOKENIZER_JSON, Tokenizer


def tokenizer_of(data: Data) -> Tokenizer | None:
    """The tokenizer of the data; None where the inputs are no tokens of one, or of one in a format of a user's own."""
    preprocessing = data.preprocessing
    if preprocessing is None or preprocessing.name != NAME:
        return None
    is_readable = any(name in preprocessing.files for name in (TOKENIZER_JSON, SENTENCEPIECE_MODEL))
    return Tokenizer.from_files(preprocessing.files) if is_readable else None


def vocabulary_size(data: Data) -> int | None:
    """Ids that inputs can have: of the tokenizer, or up to the largest of all splits; None for inputs in float."""
    if data.text is not None:
        return data.text.vocabulary_size
    arrays = [array for split in (data.train, data.validation, data.test) for array in named(split.inputs).values()]
    whole = [array for array in arrays if np.issubdtype(array.dtype, np.signedinteger) and array.nbytes]
    return max(extremes(array)[1] for array in whole) + 1 if whole else None
