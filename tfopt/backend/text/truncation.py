"""Vocabularies without the tokens that the training texts do not use: most rows of a small model's embedding.

What stays: tokens that the texts use, single letters of these texts (so that new words are spelled, not unknown), the
special tokens, and for BPE the tokens that others are merged from. The texts get the same tokens as before, which is
checked; only ids change, in the order that they had.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfopt.backend.text.sentencepiece_model import truncated_model
from tfopt.backend.text.tokenizer import SENTENCEPIECE_MODEL, TOKENIZER_JSON, JsonTokenizer, Tokenizer
from tfopt.backend.text.training import CONTINUED
from tfopt.errors import StageError


def truncated(tokenizer: Tokenizer, texts: Sequence[str], special_tokens: Iterable[str] = ()) -> Tokenizer:
    """The tokenizer with only those tokens that texts use.

    Args:
        tokenizer: any.
        texts: of the training split.
        special_tokens: that stay although no text uses them.

    Raises:
        StageError: its kind of model is not known here, or the texts would get other tokens.
    """
    before = [[tokenizer.token_of(token) or "" for token in ids] for ids in tokenizer.encode_all(texts)]
    used = {token for text in before for token in text}
    used |= {token for token in special_tokens if token in tokenizer.vocabulary}
    special = (token for token in (tokenizer.padding_id, tokenizer.unknown_id) if token is not None)
    used |= {tokenizer.token_of(token) or "" for token in special}
    if isinstance(tokenizer, JsonTokenizer):
        document = json.loads(tokenizer.files[TOKENIZER_JSON])
        content = json.dumps(_truncated(document, used), indent=1, ensure_ascii=False).encode()
        made = Tokenizer.from_files({**tokenizer.files, TOKENIZER_JSON: content})
    else:
        content = truncated_model(tokenizer.files[SENTENCEPIECE_MODEL], used)
        made = Tokenizer.from_files({**tokenizer.files, SENTENCEPIECE_MODEL: content})
    after = [[made.token_of(token) or "" for token in ids] for ids in made.encode_all(texts)]
    for text, old, new in zip(texts, before, after, strict=True):
        if old != new:
            raise StageError(
                f"data.text.truncate_vocabulary would cut {text[:60]!r} into other tokens: {new[:8]}, not {old[:8]}.",
                "Remove truncate_vocabulary.",
                code="invalid_data",
            )
    return made


def _truncated(document: Mapping[str, Any], used: set[str]) -> dict[str, Any]:
    model = document["model"]
    around = _tokens_around(document.get("post_processor"))
    kind = model.get("type")
    if kind == "Unigram":
        pieces = [piece for piece, _ in model["vocab"]]
        old = {piece: number for number, piece in enumerate(pieces)}
        used = used | {pieces[model["unk_id"]]} if model.get("unk_id") is not None else used
    elif kind in ("WordPiece", "WordLevel", "BPE"):
        old = dict(model["vocab"])
        used = used | {model["unk_token"]} if model.get("unk_token") else used
    else:
        raise StageError(
            f"data.text.truncate_vocabulary does not know tokenizers of type {kind}.",
            "Remove it; WordPiece, WordLevel, Unigram and BPE can be truncated.",
            code="invalid_argument",
        )
    wanted = used | around
    letters = {letter for token in wanted if token not in around for letter in token.removeprefix(CONTINUED)}
    wanted |= letters | {f"{model.get('continuing_subword_prefix') or CONTINUED}{letter}" for letter in letters}
    merges = [tuple(each.split(" ")) if isinstance(each, str) else tuple(each) for each in model.get("merges") or ()]
    if model.get("byte_fallback"):
        wanted |= {token for token in old if token.startswith("<0x") and len(token) == 6}
    if kind == "BPE":
        if _is_byte_level(document):
            wanted |= {token for token in old if len(token) == 1}
        wanted, merges = _merged(wanted, merges, model.get("continuing_subword_prefix") or "")
    added = [each for each in document.get("added_tokens") or () if each["content"] in wanted]
    all_old = {**old, **{each["content"]: each["id"] for each in added}}
    kept = sorted((token for token in all_old if token in wanted), key=lambda token: all_old[token])
    new = {token: number for number, token in enumerate(kept)}
    model = dict(model)
    if kind == "Unigram":
        model["vocab"] = [pair for pair in model["vocab"] if pair[0] in wanted]
        if model.get("unk_id") is not None:
            model["unk_id"] = new[pieces[model["unk_id"]]]
    else:
        model["vocab"] = {token: new[token] for token in kept if token in old}
    if kind == "BPE":
        model["merges"] = [list(pair) for pair in merges]
    return {
        **document,
        "model": model,
        "added_tokens": [{**each, "id": new[each["content"]]} for each in added],
        "post_processor": _renumbered(document.get("post_processor"), new),
    }


def _merged(wanted: set[str], merges: Sequence[tuple[str, ...]], prefix: str) -> tuple[set[str], list[tuple[str, ...]]]:
    """Tokens with all that they are merged from, and the merges that make them."""
    makes = [(first + second.removeprefix(prefix), first, second) for first, second in merges]
    wanted = set(wanted)
    # Parts mostly come before the whole in a list of merges, so that one pass from its end finds nearly all.
    found = -1
    while found < len(wanted):
        found = len(wanted)
        for whole, first, second in reversed(makes):
            if whole in wanted:
                wanted |= {first, second}
    return wanted, [pair for pair, (whole, _, _) in zip(merges, makes, strict=True) if whole in wanted]


def _is_byte_level(document: Mapping[str, object]) -> bool:
    return '"ByteLevel"' in json.dumps([document.get("pre_tokenizer"), document.get("decoder")])


def _tokens_around(processor: Mapping[str, Any] | None) -> set[str]:
    """Tokens that a post-processor puts around texts."""
    if processor is None:
        return set()
    found = set(processor.get("special_tokens") or ())
    found |= {processor[end][0] for end in ("sep", "cls") if end in processor}
    for each in processor.get("processors") or ():
        found |= _tokens_around(each)
    return found


def _renumbered(processor: Mapping[str, Any] | None, ids: Mapping[str, int]) -> dict[str, Any] | None:
    if processor is None:
        return None
    new = dict(processor)
    for end in ("sep", "cls"):
        if end in new:
            new[end] = [new[end][0], ids[new[end][0]]]
    if "special_tokens" in new:
        new["special_tokens"] = {
            token: {**said, "ids": [ids[part] for part in said["tokens"]]}
            for token, said in new["special_tokens"].items()
        }
    if "processors" in new:
        new["processors"] = [_renumbered(each, ids) for each in new["processors"]]
    return new
