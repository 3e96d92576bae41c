"""SentencePiece models with fewer pieces."""

from __future__ import annotations

from collections.abc import Set

from tfopt.errors import StageError

_UNIGRAM, _BPE = 1, 2
_NORMAL = 1


def truncated_model(content: bytes, used: Set[str]) -> bytes:
    """A model with only those pieces that are used, single letters of them, and pieces that are no text.

    Args:
        content: of a `.model` file.
        used: pieces that stay.

    Raises:
        StageError: the model is neither Unigram nor BPE.
    """
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto.FromString(content)
    kind = model.trainer_spec.model_type
    if kind not in (_UNIGRAM, _BPE):
        raise StageError(
            f"data.text.truncate_vocabulary does not know SentencePiece models of type {kind}.",
            "Remove it; unigram and bpe models can be truncated.",
            code="invalid_argument",
        )
    wanted = set(used) | {letter for piece in used for letter in piece}
    if kind == _BPE:
        # Pieces are made by merging pieces; which ones, the file does not say, but they are parts of the whole.
        wanted |= {piece[i:j] for piece in used for i in range(len(piece)) for j in range(i + 1, len(piece) + 1)}
    kept = [piece for piece in model.pieces if piece.type != _NORMAL or piece.piece in wanted]
    del model.pieces[:]
    model.pieces.extend(kept)
    model.trainer_spec.vocab_size = len(kept)
    return bytes(model.SerializeToString())
