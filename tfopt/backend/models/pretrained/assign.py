"""A folder that fits a model of the zoo, and its tensors as the model's weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from operator import attrgetter

import numpy as np
import tf_keras

from tfopt.backend.models.pretrained.folder import Folder, open_folder
from tfopt.backend.models.pretrained.layout import Layout, Part, Sizes
from tfopt.backend.models.pretrained.rows import NO_TOKEN, rows_for
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.types import Array
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_SHOWN = 5
"""Names of tensors in an error."""


@dataclass(frozen=True)
class Pretrained:
    """A checked folder.

    Args:
        folder: opened.
        layout: of its tensors.
        stored: sizes of the model in it.
        sizes: of the model that is made of it: as `stored`, but for the blocks and tokens that are kept.
        kept: numbers of the folder's blocks that are kept, from 1, in order.
        rows: of the embedding, by id of the data; None for all.
        names: of the folder's tensors, by name in the layout.
    """

    folder: Folder
    layout: Layout
    stored: Sizes
    sizes: Sizes
    kept: tuple[int, ...]
    rows: Array | None
    names: Mapping[str, str]

    @property
    def has_pooler(self) -> bool:
        """Whether it has the layer between the first vector and a classifier."""
        parts = self.layout.pooler(self.stored)
        return bool(parts) and all(part.tensor in self.names for part in parts)

    def read(self, tensor: str) -> Array:
        """A tensor by its name in the layout."""
        return self.folder.read(self.names[tensor])


def open_pretrained(
    named: str,
    layouts: Mapping[str, Layout],
    model: str,
    arguments: Mapping[str, object],
    length: int,
    keep_blocks: Sequence[int] | None = None,
    tokenizer: Tokenizer | None = None,
    vocabulary_size: int | None = None,
) -> Pretrained:
    """Opens a folder, and checks that it holds the tensors of its configuration, and fits arguments and data.

    Args:
        named: see `open_folder`.
        layouts: that the model can be filled from, by `model_type` of the configuration.
        model: name of the model, for errors.
        arguments: of the recipe, by the names in `Sizes`; None for those that it leaves to the folder.
        length: positions of an example.
        keep_blocks: numbers of blocks to keep, from 1; all by default.
        tokenizer: of the data.
        vocabulary_size: tokens of the data.

    Raises:
        StageError: the folder is no such model, or tensors are missing, extra or misshaped, or it does not fit.
    """
    folder = open_folder(named)
    layout = _layout_of(folder, layouts, model)
    stored = layout.sizes(folder.config)
    names = {_plain_name(name, layout): name for name in folder.shapes}
    _check_tensors(folder, layout, stored, names)
    _check_arguments(folder, stored, arguments, model)
    if length > stored.positions:
        raise StageError(
            f"The examples have {length} positions, but {folder.path} has vectors for {stored.positions}.",
            "Shorten the examples, or choose a model for longer texts.",
            code="incompatible_shapes",
        )
    kept = tuple(range(1, stored.blocks + 1)) if keep_blocks is None else tuple(keep_blocks)
    _check_kept(kept, stored.blocks, folder)
    rows = rows_for(folder, stored.tokens, tokenizer, vocabulary_size)
    tokens = stored.tokens if rows is None else len(rows)
    return Pretrained(folder, layout, stored, replace(stored, blocks=len(kept), tokens=tokens), kept, rows, names)


def check_parts(pretrained: Pretrained, parts: Sequence[Part], what: str) -> None:
    """Whether further tensors are there: of a pooler or a head, which not every folder has.

    Args:
        pretrained: the folder.
        parts: that are needed.
        what: asks for them, for the error.

    Raises:
        StageError: one is missing or misshaped, or the layout has none.
    """
    problems = list(_problems(pretrained.folder, parts, pretrained.names))
    if problems or not parts:
        raise StageError(
            f"{what} needs tensors that {pretrained.folder.path} does not have: {'; '.join(problems) or 'none of it'}.",
            "Leave the argument out, and the layer begins with random weights.",
            code="pretrained_mismatch",
        )


def assign(model: tf_keras.Model, pretrained: Pretrained, further: Sequence[Part] = ()) -> None:
    """Fills a model with the tensors of a folder.

    Args:
        model: of the zoo, with the sizes of `pretrained`.
        pretrained: checked.
        further: parts in addition to those of the layout.
    """
    numbers = {number: index for index, number in enumerate(pretrained.kept, start=1)}
    for part in (*pretrained.layout.parts(pretrained.stored), *further):
        name = _renumbered(part.layer, numbers)
        if name is None:
            continue
        variable = attrgetter(part.attribute)(model.get_layer(name))
        values = part.change(pretrained.read(part.tensor))
        if part.layer == "token_embedding" and pretrained.rows is not None:
            values = _taken(values, pretrained.rows)
        elif part.layer == "position_embedding":
            values = values[: variable.shape[0]]
        variable.assign(values.reshape(variable.shape))
    _assign_segments(model, pretrained)


def _assign_segments(model: tf_keras.Model, pretrained: Pretrained) -> None:
    if pretrained.layout.segments is None:
        return
    vectors = pretrained.read(pretrained.layout.segments)
    by_name = {layer.name: layer for layer in model.layers}
    if "segment_embedding" in by_name:
        by_name["segment_embedding"].embeddings.assign(vectors)
    else:  # Every token is of the first text, so its vector is part of each position.
        positions = by_name["position_embedding"].embeddings
        positions.assign_add(np.broadcast_to(vectors[0], positions.shape))


def _taken(table: Array, rows: Array) -> Array:
    taken: Array = table[np.maximum(rows, 0)]
    taken[rows == NO_TOKEN] = 0
    return taken


def _renumbered(layer: str, numbers: Mapping[int, int]) -> str | None:
    """The name of a layer of the folder's model in the one with fewer blocks; None where its block is left out."""
    block, _, rest = layer.partition("_")
    if not block.startswith("block"):
        return layer
    number = numbers.get(int(block.removeprefix("block")))
    return None if number is None else f"block{number}_{rest}"


def _plain_name(name: str, layout: Layout) -> str:
    """A tensor's name without prefix; LayerNorm of folders from TensorFlow has gamma and beta."""
    plain = name.removeprefix(layout.prefix)
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
        if plain.endswith(f"LayerNorm{old}"):
            return plain.removesuffix(old) + new
    return plain


def _layout_of(folder: Folder, layouts: Mapping[str, Layout], model: str) -> Layout:
    kind = folder.config.get("model_type")
    if not isinstance(kind, str) or kind not in layouts:
        raise StageError(
            f"{folder.path} holds a model of the type {kind!r}.",
            f"The model {model} reads the weights of {', '.join(layouts)}.",
            code="incompatible_model",
        )
    return layouts[kind]


def _check_tensors(folder: Folder, layout: Layout, sizes: Sizes, names: Mapping[str, str]) -> None:
    parts = layout.parts(sizes)
    problems = list(_problems(folder, parts, names))
    known = {part.tensor for part in parts}
    if layout.segments is not None:
        known.add(layout.segments)
        shape = folder.shapes.get(names.get(layout.segments, ""))
        if shape is None:
            problems.append(f"{layout.segments} is missing")
        elif len(shape) != 2 or shape[1] != sizes.width or shape[0] < 1:
            problems.append(f"{layout.segments} has the shape {shape}, expected (segments, {sizes.width})")
    problems += [
        f"{name} is no part of the model"
        for name in names
        if name not in known and not any(fnmatchcase(name, pattern) for pattern in layout.ignored)
    ]
    if problems:
        shown = "; ".join(problems[:_SHOWN])
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise StageError(
            f"The tensors of {folder.path} are not those of the model in its config.json: {shown}{more}.",
            "Use the config.json and the weights of one model, as save_pretrained of Transformers writes them.",
            code="pretrained_mismatch",
        )


def _problems(folder: Folder, parts: Sequence[Part], names: Mapping[str, str]) -> Iterator[str]:
    seen = set()
    for part in parts:
        if part.tensor in seen:
            continue
        seen.add(part.tensor)
        if part.tensor not in names:
            yield f"{part.tensor} is missing"
        elif folder.shapes[names[part.tensor]] != part.shape:
            yield f"{part.tensor} has the shape {folder.shapes[names[part.tensor]]}, expected {part.shape}"


def _check_arguments(folder: Folder, sizes: Sizes, arguments: Mapping[str, object], model: str) -> None:
    for name, value in arguments.items():
        stored = getattr(sizes, name)
        if value is not None and value != stored:
            key = {"hidden": "feed_forward_width"}.get(name, name)
            hint = "Remove the argument" + (", or choose blocks with keep_blocks." if name == "blocks" else ".")
            raise StageError(
                f"args.{key} of the model {model} is {value}, but {folder.path} has {stored}.",
                hint,
                code="invalid_argument",
            )


def _check_kept(kept: tuple[int, ...], blocks: int, folder: Folder) -> None:
    whole = all(isinstance(number, int) and 1 <= number <= blocks for number in kept)
    if not kept or not whole or list(kept) != sorted(set(kept)):
        raise StageError(
            f"args.keep_blocks is {list(kept)}, but {folder.path} has {counted(blocks, 'block')}.",
            f"Expected numbers from 1 to {blocks}, each once and in order.",
            code="invalid_argument",
        )
