"""A `data` block with `text`: texts cut into splits, a tokenizer of the training split, and token ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import TypeAlias

import numpy as np

from tfopt.backend.data import sources
from tfopt.backend.data.checks import check_split, class_ids, labels_to_stratify, num_classes_of, targets_of
from tfopt.backend.data.cut import SHARES, cut
from tfopt.backend.data.per_example.keys import with_keys
from tfopt.backend.data.per_example.weights import with_own_weights, with_weights
from tfopt.backend.data.splits import Data, Preprocessing, Split
from tfopt.backend.data.text_values import labels_of_source, texts_of_source
from tfopt.backend.text import examples, files
from tfopt.backend.text.examples import Encoded
from tfopt.backend.text.tables import Text
from tfopt.backend.text.tokenizer import NAME, Tokenizer
from tfopt.backend.text.training import trained
from tfopt.backend.text.truncation import truncated
from tfopt.backend.types import Array, Arrays
from tfopt.core.config.data import DataConfig
from tfopt.core.config.text.text import InputKind, TextConfig
from tfopt.core.config.text.tokenizers import FileTokenizer, TokenizerConfig
from tfopt.core.records.text import TextRecord
from tfopt.errors import StageError

Maker: TypeAlias = Callable[[Sequence[str]], Tokenizer]
"""From the training texts to their tokenizer."""


def load_texts(config: DataConfig, text: TextConfig, folder: Path) -> Data:
    """Reads the texts of a source, and makes examples of token ids.

    The texts are cut into splits first: the tokenizer sees the training split only.

    Args:
        config: the recipe's `data` block.
        text: its `text`.
        folder: of the recipe, where relative paths begin.

    Returns:
        Train, validation and test, ids as int32; the tokenizer's files as what must travel with a model.

    Raises:
        StageError: the source or the tokenizer cannot be read, or they do not fit each other or the keys.
        EnvironmentProblem: a package is missing.
    """
    make = _maker(text.tokenizer, folder)
    if text.is_language_model:
        return _language_model(config, text, make, folder)
    return _classification(config, text, make, folder)


def _maker(config: TokenizerConfig, folder: Path) -> Maker:
    """A tokenizer for training texts: a file is read at once, before the corpus."""
    if isinstance(config, FileTokenizer):
        tokenizer = files.read(config, folder)
        return lambda _: tokenizer
    return partial(trained, config)


def _classification(config: DataConfig, text: TextConfig, make: Maker, folder: Path) -> Data:
    source = sources.read_texts(config, text, folder)
    texts = {
        name: texts_of_source(each.inputs, f"{config.source}, {name} split", text) for name, each in source.items()
    }
    positions = {}
    for name, each in source.items():
        targets = targets_of(labels_of_source(each.targets, config.source, name, text), config.source, name)
        split = Split(np.arange(len(texts[name])), targets)
        positions[name] = with_weights(split, each.weights, f"{config.source}, {name} split")
    positions, names = class_ids(positions, config.source)
    num_classes = num_classes_of(positions, names)
    for name, split in positions.items():
        check_split(split, positions["train"], num_classes, f"{config.source}, {name} split")
    labels = labels_to_stratify(positions["train"].targets, num_classes)
    if not positions.keys() >= SHARES.keys():
        positions["train"] = _with_keys(positions["train"], texts["train"], config, folder)
    made = cut(positions, config.splits, config.seed, config.source, labels)
    # What `cut` added was taken from the training texts.
    cut_texts = {
        name: [texts[name if name in texts else "train"][position] for position in np.asarray(split.inputs)]
        for name, split in made.items()
    }
    tokenizer, ids = _encoded(config, text, make, cut_texts)
    splits = {
        name: Split(_inputs(examples.arrays(tokenizer, ids[name], text), text), split.targets, weights=split.weights)
        for name, split in made.items()
    }
    if config.sample_weights is not None:
        splits = with_own_weights(splits, config.sample_weights, folder)
    data = _data(config, text, tokenizer, splits, ids)
    return replace(
        data,
        num_classes=num_classes,
        class_names=names,
        label_names=names or sources.label_names(config, folder),
    )


def _language_model(config: DataConfig, text: TextConfig, make: Maker, folder: Path) -> Data:
    source = sources.read_texts(config, text, folder)
    texts = {
        name: texts_of_source(each.inputs, f"{config.source}, {name} split", text) for name, each in source.items()
    }
    cut_texts = _cut_texts(texts, config, folder)
    tokenizer, ids = _encoded(config, text, make, cut_texts)
    splits = {}
    for name in cut_texts:
        inputs, targets = examples.windows(ids[name], text, f"{config.source}, {name} split")
        ones, zeros = np.ones_like(inputs), np.zeros_like(inputs)
        splits[name] = Split(_inputs({"ids": inputs, "mask": ones, "segments": zeros}, text), targets)
    if config.sample_weights is not None:
        splits = with_own_weights(splits, config.sample_weights, folder)
    data = _data(config, text, tokenizer, splits, ids)
    return replace(data, num_classes=tokenizer.vocabulary_size)


def _with_keys(split: Split, texts: Sequence[Text], config: DataConfig, folder: Path) -> Split:
    """The training examples with what they belong to, where `data.splits` needs it: each text to itself."""
    if config.splits.key is not None:
        written = np.array([text if isinstance(text, str) else "\0".join(text) for text in texts], dtype=object)
        keyed = with_keys(replace(split, inputs=written), config.splits, folder, config.source)
        return replace(keyed, inputs=split.inputs)
    if config.splits.by is None:
        return split
    return replace(split, keys=np.array([sha256(repr(text).encode()).hexdigest() for text in texts]))


def _encoded(
    config: DataConfig, text: TextConfig, make: Maker, texts: Mapping[str, Sequence[Text]]
) -> tuple[Tokenizer, dict[str, Encoded]]:
    """The tokenizer, truncated where the recipe says so, and the ids of all splits."""
    tokenizer = make(_singly(texts["train"]))
    if text.truncate_vocabulary:
        own = () if isinstance(text.tokenizer, FileTokenizer) else text.tokenizer.all_special_tokens()
        tokenizer = truncated(tokenizer, _singly(texts["train"]), own)
    ids = {name: examples.encoded(tokenizer, split, f"{config.source}, {name} split") for name, split in texts.items()}
    examples.check_known(ids["train"], f"{config.source}, train split")
    return tokenizer, ids


def _data(
    config: DataConfig,
    text: TextConfig,
    tokenizer: Tokenizer,
    splits: Mapping[str, Split],
    ids: Mapping[str, Encoded],
) -> Data:
    lengths = None if text.is_language_model else [len(tokens) for tokens in ids["train"].ids]
    return Data(
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        source=config.source,
        settings=f"splits {config.splits.model_dump_json()} seed {config.seed} task {text.task}",
        preprocessing=Preprocessing(NAME, tokenizer.files),
        text=TextRecord(
            task=text.task,
            tokenizer=text.tokenizer.kind,
            vocabulary_size=tokenizer.vocabulary_size,
            length=text.length,
            median_tokens=None if lengths is None else float(median(lengths)),
            cut=None if lengths is None else float(np.mean([each > text.length for each in lengths])),
            unknown=ids["test"].unknown,
            inputs=dict(text.inputs) if text.inputs is not None else None,
            padding=text.padding,
            truncation=text.truncation,
        ),
    )


def _inputs(arrays: Mapping[InputKind, Array], text: TextConfig) -> Arrays:
    if text.inputs is None:
        return arrays["ids"]
    return {name: arrays[kind] for name, kind in text.inputs.items()}


def _singly(texts: Sequence[Text]) -> list[str]:
    return [part for text in texts for part in ((text,) if isinstance(text, str) else text)]


def _cut_texts(texts: Mapping[str, Sequence[Text]], config: DataConfig, folder: Path) -> dict[str, list[str]]:
    """Splits of a language model: whole texts where there are enough of them, else the ends of each text."""
    train = _singly(texts["train"])
    given = {name: _singly(each) for name, each in texts.items()}
    missing = [name for name in SHARES if name not in given]
    shares = {name: float(getattr(config.splits, name)) for name in missing}
    if not missing or (len(train) > 1 and all(round(share * len(train)) for share in shares.values())):
        splits = {name: Split(np.arange(len(each)), np.arange(len(each))) for name, each in given.items()}
        if missing:
            splits["train"] = _with_keys(splits["train"], train, config, folder)
        made = cut(splits, config.splits, config.seed, config.source)
        return {
            name: [given[name if name in given else "train"][position] for position in np.asarray(split.inputs)]
            for name, split in made.items()
        }
    if config.splits.by is not None or config.splits.key is not None:
        key = f"data.splits.{'by' if config.splits.by else 'key'}"
        raise StageError(
            f"{config.source} is one text, whose end is set aside; {key} chooses among many.",
            f"Remove {key}, or give a folder with many texts.",
            code="meaningless_key",
        )
    result = {**given, "train": [], **{name: [] for name in missing}}
    for text in train:
        for name, part in _in_order(text, shares).items():
            result[name].append(part)
    if not all(any(part.strip() for part in parts) for parts in result.values()):
        raise StageError(
            f"{config.source}: the text is too short to be cut into training, validation and test.",
            "Provide more text, or other shares in data.splits.",
            code="data_missing",
        )
    return {name: [part for part in parts if part.strip()] for name, parts in result.items()}


def _in_order(text: str, shares: Mapping[str, float]) -> dict[str, str]:
    """A text cut into its beginning for training, then validation, then test."""
    ends: dict[str, str] = {}
    end = len(text)
    for name, share in shares.items():
        begin = end - round(share * len(text))
        ends[name], end = text[begin:end], begin
    return {"train": text[:end], **ends}
