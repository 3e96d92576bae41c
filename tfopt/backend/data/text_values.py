"""Texts and labels as a source returned them: lists and arrays of strings, pairs of them, one long string."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from tfopt.backend.data.prepared import RawExamples
from tfopt.backend.text.tables import Text, labels_of
from tfopt.backend.types import Array
from tfopt.core.config.text.text import TextConfig
from tfopt.errors import StageError

_FORMS = (
    "Expected (texts, labels), ((texts, labels) of training, (texts, labels) of testing), or a dict of (texts, labels) "
    "with train and optionally validation and test."
)
_FORMS_OF_LANGUAGE = (
    "Expected a text, a list of texts, or a dict of them with train and optionally validation and test."
)


def splits_of_language(value: object, source: str) -> dict[str, RawExamples]:
    """The return value of a source for a language model, by split.

    Raises:
        StageError: it is none of the forms.
    """
    if isinstance(value, Mapping):
        strange = [str(key) for key in value if key not in ("train", "validation", "test")]
        if strange or "train" not in value:
            wrong = f"the key {strange[0]!r}" if strange else "no key 'train'"
            raise StageError(f"{source} returned a dict with {wrong}.", _FORMS_OF_LANGUAGE, code="invalid_data")
        return {name: RawExamples(_without_labels(part), None) for name, part in value.items() if part is not None}
    return {"train": RawExamples(_without_labels(value), None)}


def _without_labels(value: object) -> object:
    """The texts of (texts, labels); anything else as it is."""
    is_pair = isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], str | bytes)
    return value[0] if isinstance(value, tuple) and is_pair else value


def texts_of_source(value: object, what: str, config: TextConfig) -> list[Text]:
    """Texts as strings, or as pairs of them.

    Args:
        value: what a source returned as its inputs.
        what: source and split, for errors.
        config: whether pairs are possible.

    Raises:
        StageError: there are none, one is empty, or something is no text.
    """
    if isinstance(value, str | bytes):
        value = [value]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        forms = _FORMS_OF_LANGUAGE if config.is_language_model else _FORMS
        raise StageError(f"{what}: the texts are a {type(value).__name__}.", forms, code="invalid_data")
    texts = [_text(each, f"{what}, text {number}", config) for number, each in enumerate(value)]
    if not texts:
        raise StageError(f"{what}: there are no texts.", code="data_missing")
    if len({isinstance(text, str) for text in texts}) > 1:
        raise StageError(f"{what}: some texts are pairs, others are not.", code="invalid_data")
    return texts


def labels_of_source(value: object, source: str, split: str, config: TextConfig) -> Array | None:
    """Labels of texts as one array; None where there are none."""
    if value is None:
        return None
    if isinstance(value, np.ndarray) and value.dtype.kind not in "OSU":
        return value
    values = value.tolist() if isinstance(value, np.ndarray) else list(value) if isinstance(value, Iterable) else value
    if not isinstance(values, list):
        raise StageError(
            f"{source}, {split} split: the labels are a {type(value).__name__}.", _FORMS, code="invalid_data"
        )
    if any(isinstance(each, (list, tuple, np.ndarray)) for each in values):
        return np.asarray(values)
    decoded = [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in values]
    return labels_of(decoded, config.quantity, [f"{source}, {split} split, text {k}" for k in range(len(values))])


def _text(value: object, place: str, config: TextConfig) -> Text:
    if isinstance(value, (tuple, list)) and len(value) == 2 and not config.is_language_model:
        return _string(value[0], place), _string(value[1], place)
    return _string(value, place)


def _string(value: object, place: str) -> str:
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise StageError(f"{place} is not UTF-8 text: {error}.", code="data_unreadable") from error
    if not isinstance(value, str):
        what = "missing" if value is None else f"a {type(value).__name__} ({value!r:.40})"
        raise StageError(f"{place} is {what}.", "Expected a string.", code="invalid_data")
    if not value.strip():
        raise StageError(f"{place} is empty.", "Remove it, or fill it.", code="invalid_data")
    return value
