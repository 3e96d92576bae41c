"""Random changes of tokens: which, how many, and the same ones for a run, an epoch and a text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tfopt.backend.data.batches import training_batches
from tfopt.backend.data.load import load
from tfopt.backend.data.splits import Data, Preprocessing
from tfopt.backend.data.token_changes import TokenChanger, variants
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.types import Array
from tfopt.catalog.own_code import importable
from tfopt.core.config.data import Augment, DataConfig
from tfopt.core.config.text.token_changes import TokenChanges
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

MODULE = """
TEXTS = [f"send item {number} to my home today" for number in range(60)]
def labelled(): return TEXTS, ["yes", "no"] * 30
def pairs(): return [("how so?", text) for text in TEXTS], ["yes", "no"] * 30
"""
PADDING, UNKNOWN = 0, 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("changed")
    (folder / "changed_texts.py").write_text(MODULE)
    return folder


def read(folder: Any, function: str = "labelled", **text: Any) -> Data:
    body = {"tokenizer": {"kind": "word", "begin": "[CLS]", "end": "[SEP]"}, "length": 12, **text}
    return load(DataConfig.model_validate({"source": f"changed_texts:{function}", "text": body}), folder)


def changed(data: Data, epoch: int = 0, seed: int = 3, **changes: Any) -> Array:
    found = TokenChanger(data, TokenChanges.model_validate(changes), seed).inputs(epoch)
    assert isinstance(found, np.ndarray)
    return found


def test_a_share_of_the_words_is_hidden_and_nothing_else(folder: Any) -> None:
    data = read(folder)
    before, after = np.asarray(data.train.inputs), changed(data, mask="30%")
    words = before > 3
    hidden = after != before
    assert (after[hidden] == UNKNOWN).all()
    assert not hidden[~words].any()
    assert hidden.sum() / words.sum() == pytest.approx(0.3, abs=0.06)


def test_other_words_of_the_training_split_come_as_often_as_they_are_in_it(folder: Any) -> None:
    data = read(folder)
    before, after = np.asarray(data.train.inputs), changed(data, replace="99%")
    tokenizer = tokenizer_of(data)
    assert tokenizer is not None
    frequent = tokenizer.id_of("home")
    assert (after[before <= 3] == before[before <= 3]).all()
    assert (after[before > 3] == frequent).mean() == pytest.approx((before[before > 3] == frequent).mean(), abs=0.06)


@pytest.mark.parametrize("padding", ["start", "end"])
def test_words_that_are_left_out_leave_no_gap(folder: Any, padding: str) -> None:
    data = read(folder, padding=padding)
    before, after = np.asarray(data.train.inputs), changed(data, drop="50%")
    for old, new in zip(before, after, strict=True):
        kept = [int(token) for token in new if token != PADDING]
        filled = [PADDING] * (12 - len(kept))
        assert list(new) == (kept + filled if padding == "end" else filled + kept)
        rest = iter(old)
        assert all(token in rest for token in kept), "the order stays"
        assert (kept[0], kept[-1], len(kept) > 2) == (2, 3, True), "special tokens, and at least one word"
    assert (after > 3).sum() / (before > 3).sum() == pytest.approx(0.5, abs=0.1)


def test_masks_and_segments_move_with_their_tokens(folder: Any) -> None:
    data = read(folder, "pairs", inputs={"a": "ids", "b": "mask", "c": "segments"}, length=14)
    found = TokenChanger(data, TokenChanges.model_validate({"drop": "40%"}), 1).inputs(0)
    assert ((found["a"] != PADDING) == found["b"]).all()
    for ids, segments in zip(found["a"], found["c"], strict=True):
        first_end = list(ids).index(3)
        assert not segments[: first_end + 1].any()
        assert (segments[first_end + 1 :] == (ids[first_end + 1 :] != PADDING)).all()


def test_changes_belong_to_run_epoch_and_text(folder: Any) -> None:
    data, augment = read(folder), Augment.model_validate({"tokens": {"mask": "20%", "replace": "20%", "drop": "20%"}})
    numbered = replace(data, train=replace(data.train, targets=np.arange(len(data.train), dtype=np.int32)))

    def rows(batch_size: int, first_epoch: int = 0, seed: int = 3) -> dict[tuple[int, int], tuple[int, ...]]:
        found, count, n = {}, len(data.train) * first_epoch, len(data.train)
        for inputs, targets in training_batches(
            numbered, batch_size, 3, seed, augment=augment, first_epoch=first_epoch
        ).as_numpy_iterator():
            for row, target in zip(inputs, targets, strict=True):
                found[count // n, int(target)] = tuple(map(int, row))
                count += 1
        return found

    whole = rows(8)
    assert whole == rows(5)
    assert {key: row for key, row in whole.items() if key[0] >= 2} == rows(8, first_epoch=2)
    assert sum(whole[0, k] != whole[1, k] for k in range(len(data.train))) > 30
    assert whole != rows(8, seed=4)


def test_rows_of_a_teacher_are_those_of_the_variant(folder: Any) -> None:
    data = read(folder)
    augment = Augment.model_validate({"tokens": {"mask": "30%", "drop": "20%", "variants": 2}})
    splits = variants(data, augment, 3, epochs=5)
    assert len(splits) == 2
    assert len(variants(data, augment, 3, epochs=1)) == 1
    assert variants(data, None, 3, epochs=5) == [data.train]
    given = np.concatenate([np.asarray(split.inputs) for split in splits])
    seen = []
    for inputs, _, weights, rows in training_batches(data, 7, 4, 3, augment=augment, extra=given):
        assert weights is None
        assert (inputs.numpy() == rows.numpy()).all()
        seen.append(inputs.numpy())
    epochs = [np.sort(epoch, axis=0) for epoch in np.split(np.concatenate(seen), 4)]
    assert (epochs[0] == epochs[2]).all()
    assert (epochs[0] != epochs[1]).any()


def test_a_function_of_the_users_own_comes_first(folder: Any) -> None:
    (folder / "own_tokens.py").write_text("def nothing(x, y, seed):\n    return x * 0 + 5, y\n")
    with importable(folder):
        augment = Augment.model_validate({"function": "own_tokens:nothing", "tokens": {"mask": "40%"}})
        (inputs, _), *_ = training_batches(read(folder), 64, 1, 0, augment=augment).as_numpy_iterator()
    assert set(np.unique(inputs)) == {UNKNOWN, 5}


def test_a_tokenizer_without_the_token_is_refused(folder: Any) -> None:
    data = read(folder)
    assert data.preprocessing is not None
    content = data.preprocessing.files["tokenizer.json"].replace(b"[PAD]", b"[NIL]")
    without = replace(data, preprocessing=Preprocessing(data.preprocessing.name, {"tokenizer.json": content}))
    with pytest.raises(StageError, match="no padding token"):
        changed(without, drop="10%")
