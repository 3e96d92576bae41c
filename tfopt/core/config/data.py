"""The recipe's `data` block."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Literal, TypeGuard

from pydantic import Field, model_validator

from tfopt.core.config.features import Feature
from tfopt.core.config.text.text import TABLES, TEXT_FILES, TextConfig
from tfopt.core.config.text.token_changes import TokenChanges
from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.quantities import Share, format_share
from tfopt.core.language.references import is_reference
from tfopt.errors import RecipePath


class Splits(Block):
    """Fractions of the training examples that are set aside where the source declares no split of its own."""

    validation: Share = 0.1
    """Share of the training examples used for validation (early stopping, curves, soups)."""
    test: Share = 0.2
    """Share used for the final figures; never seen by training, early stopping or calibration."""
    by: Literal["hash"] | None = None
    """`hash` puts an example into a split by a hash of its key alone, so that it stays there when others come or go;
    the shares are met roughly. If absent, examples are drawn at random, with the same share of every class."""
    key: Annotated[str, Field(min_length=1)] | None = None
    """What belongs together (a speaker, a patient) and is never in two splits: the name of a column, feature or array;
    of files a regular expression, whose first group in a file's path it is; or `package.module:function` of inputs and
    targets. If absent, each example is on its own: a file by its name, others by their content."""

    @model_validator(mode="after")
    def _leaves_something(self) -> Splits:
        for name in ("validation", "test"):
            if not 0 < getattr(self, name) < 1:
                raise KeyMistake(
                    (name,),
                    f"{name} must be above 0% and below 100%. Got {format_share(getattr(self, name))}",
                    code="out_of_range",
                )
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must leave some examples for training")
        return self


class Augment(Block):
    """Random changes of training examples, new in every epoch; seeded, so that a run can be repeated."""

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    """Mirror half of the images."""
    shift: Share = 0.0
    """Largest move in each direction, as a share of height and width; the gap is filled with zeros."""
    crop: Annotated[int, Field(ge=0)] = 0
    """Pad by this many pixels on each side and cut the original size out at random."""
    mixup: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Alpha of mixup (Zhang et al. 2018, arXiv:1710.09412); 0 is off. Labels become one-hot."""
    function: str | None = None
    """A change of your own, before the others: `package.module:function` of inputs, targets and a seed of one example,
    in TensorFlow operations; it returns inputs and targets of the same shapes."""
    tokens: TokenChanges | None = None
    """Random changes of the tokens of texts."""

    @model_validator(mode="after")
    def _is_a_function(self) -> Augment:
        if self.function is not None and not is_reference(self.function):
            raise KeyMistake(
                ("function",), f"must be package.module:function of yours. Got {self.function!r}", code="unknown_name"
            )
        return self


def changes_images(augment: Augment | None) -> TypeGuard[Augment]:
    """Whether images are changed: by flip, shift, crop or mixup."""
    return augment is not None and augment.model_copy(update={"function": None, "tokens": None}) != Augment()


def changes_every_epoch(augment: Augment | None) -> TypeGuard[Augment]:
    """Whether a training example may be different in every epoch: no number of copies holds all of them."""
    if augment is None:
        return False
    new_tokens = augment.tokens is not None and augment.tokens.variants is None
    return changes_images(augment) or augment.function is not None or new_tokens


class DataConfig(Block):
    """Source of the examples, and how they are batched and augmented."""

    source: str
    """A name from `tfopt ls datasets`, `package.module:function`, or a path to .npz, .csv or a folder of images, of WAV
    files or (with `args.window`) of .csv files; with `text` also to .tsv, .jsonl, .txt, or a folder of texts. Of
    segmentation a folder with images/ and masks/; of detection a .json of COCO, or a .csv of boxes (with
    `args.images`). With `features`, a file, a pattern or a folder of TFRecord, Parquet or Arrow files."""
    args: dict[str, object] = {}
    """Arguments of the source."""
    batch_size: Annotated[int, Field(ge=1)] = 64
    """Examples per batch; per optimizer step, unless compile.gradient_accumulation_steps takes several batches."""
    splits: Splits = Splits.model_construct()
    """Shares to set aside where the source has no such split."""
    seed: int = 0
    """Seed of the splits; separate from the recipe's seed, so that all seeds are judged on the same examples."""
    targets: Literal["labels", "inputs"] = "labels"
    """`inputs` trains the model to reproduce its input (autoencoder)."""
    augment: Augment | None = None
    """Random changes of training examples: images, or tokens of texts."""
    sample_weights: str | None = None
    """How much each example counts in the loss, where the source does not say: `package.module:function`, called with
    the inputs and targets of each split that the source declares (of texts: of each split), before others are set
    aside. It returns a number for each example; of several outputs, also a dict by output name."""
    text: TextConfig | None = None
    """How the texts of the source become token ids: tokenizer, length, columns."""

    features: dict[str, Feature] | None = None
    """Features of TFRecord shards, or columns of Parquet, Arrow and Hugging Face tables, by name; all that is read."""
    cache: Literal["memory", "disk", "none"] | None = None
    """Where examples are: in `memory`; on `disk`, decoded once into files of the store; `none`: decoded each time they
    are read. If absent, `memory` where they take less than half of what is free, else `disk`, or `none` where that is
    full. It changes no result, but for Parquet and Arrow with many row groups and `none`, which are shuffled in
    windows."""
    on_bad_example: Literal["fail", "skip"] | None = None
    """What becomes of images that cannot be read, in folders, records and tables: they are counted and the run fails
    (if absent), or they are left out, with a warning."""

    def own_code(self) -> list[tuple[RecipePath, str]]:
        """Functions of the user's own besides the source, with their paths below the block."""
        named = (
            (("splits", "key"), self.splits.key),
            (("sample_weights",), self.sample_weights),
            (("augment", "function"), self.augment.function if self.augment else None),
        )
        return [(path, name) for path, name in named if name is not None and is_reference(name)]

    @model_validator(mode="after")
    def _of_functions(self) -> DataConfig:
        if self.sample_weights is not None and not is_reference(self.sample_weights):
            raise KeyMistake(
                ("sample_weights",),
                f"must be package.module:function of yours. Got {self.sample_weights!r}. Columns with weights are "
                "named in data.features (role: weight) or, of .csv, in args.weight",
                code="unknown_name",
            )
        return self

    @model_validator(mode="after")
    def _of_features(self) -> DataConfig:
        if self.features is None:
            return self
        if self.text is not None:
            raise KeyMistake(("features",), "features are not read where data.text is", code="conflicting_keys")
        roles = {feature.role for feature in self.features.values()}
        if "input" not in roles:
            raise KeyMistake(("features",), "features has no input", code="missing_key")
        if "target" not in roles and self.targets == "labels":
            message = "features has no target: give one of them role: target, or set data.targets: inputs"
            raise KeyMistake(("features",), message, code="missing_key")
        weights = [feature.output for feature in self.features.values() if feature.role == "weight"]
        if len(set(weights)) < len(weights) or (None in weights and len(weights) > 1):
            message = "features has several weights, each of which must name an output of its own (output: ...)"
            raise KeyMistake(("features",), message, code="conflicting_keys")
        return self

    @model_validator(mode="after")
    def _of_texts(self) -> DataConfig:
        suffix = "" if ":" in self.source else PurePath(self.source).suffix.lower()
        text = self.text
        if text is None:
            if suffix in TEXT_FILES and suffix != ".csv":
                raise KeyMistake(
                    ("source",),
                    f"source {self.source} holds texts: add a block such as text: "
                    "{tokenizer: {kind: word}, length: 32}",
                    code="missing_key",
                )
            if self.augment is not None and self.augment.tokens is not None:
                message = "augment.tokens changes texts, but there is no data.text. Remove it"
                raise KeyMistake(("augment", "tokens"), message, code="meaningless_key")
            return self
        self._check_augmented_texts(text)
        if self.targets == "inputs":
            message = (
                "targets: inputs reproduces numbers, and token ids are none; text.task: language_model predicts tokens"
            )
            raise KeyMistake(("targets",), message, code="conflicting_keys")
        if suffix == ".txt" and not text.is_language_model:
            message = f"source {self.source} has no labels: add text.task: language_model, or use a table or a folder"
            raise KeyMistake(("source",), message, code="conflicting_keys")
        if suffix == ".npz":
            message = f"source {self.source} holds numbers; data.text reads {', '.join(TEXT_FILES)} and folders"
            raise KeyMistake(("source",), message, code="unknown_file_type")
        if suffix == ".txt" and text.column is not None:
            message = f"text.column is of tables ({', '.join(TABLES)}), and {self.source} is none"
            raise KeyMistake(("text", "column"), message, code="meaningless_key")
        return self

    def _check_augmented_texts(self, text: TextConfig) -> None:
        if changes_images(self.augment):
            message = "augment changes images by flip, shift, crop and mixup, but data.text makes token ids. Use tokens"
            raise KeyMistake(("augment",), message, code="conflicting_keys")
        tokens = self.augment.tokens if self.augment is not None else None
        if tokens is not None and tokens.drop and text.is_language_model:
            message = "augment.tokens.drop moves tokens, but the targets of a language model stay. Use mask or replace"
            raise KeyMistake(("augment", "tokens", "drop"), message, code="conflicting_keys")
