"""A truncated vocabulary gives the training texts the same tokens, with fewer ids."""

from __future__ import annotations

import io

import pytest
from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, pre_tokenizers, trainers

from tfopt.backend.text.tokenizer import SENTENCEPIECE_MODEL, TOKENIZER_JSON, Tokenizer
from tfopt.backend.text.training import trained
from tfopt.backend.text.truncation import truncated
from tfopt.core.config.text.tokenizers import BytePairTokenizer, WordPieceTokenizer, WordTokenizer

CORPUS = ["the cat sat on the mat", "a dog and a log", "hats and bats are flat", "she sells sea shells"] * 5
USED = ["the cat sat", "a cat and a mat"]


def unigram() -> Tokenizer:
    made = Library(models.Unigram())
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=60, special_tokens=["<pad>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    return Tokenizer.from_files({TOKENIZER_JSON: made.to_str().encode()})


def sentence_pieces(kind: str) -> Tokenizer:
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    size = {"unigram": 28, "bpe": 40}[kind]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=size, model_type=kind, pad_id=3, minloglevel=5
    )
    return Tokenizer.from_files({SENTENCEPIECE_MODEL: model.getvalue()})


MAKERS = {
    "word": lambda: trained(WordTokenizer(vocabulary_size=40, begin="[CLS]"), CORPUS),
    "wordpiece": lambda: trained(WordPieceTokenizer(vocabulary_size=90, begin="[CLS]", end="[SEP]"), CORPUS),
    "bpe": lambda: trained(BytePairTokenizer(vocabulary_size=300, end="<end>"), CORPUS),
    "unigram": unigram,
    "sentencepiece unigram": lambda: sentence_pieces("unigram"),
    "sentencepiece bpe": lambda: sentence_pieces("bpe"),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_the_training_texts_keep_their_tokens(kind: str) -> None:
    before = MAKERS[kind]()
    after = truncated(before, USED)

    def tokens(tokenizer: Tokenizer, text: str) -> list[str | None]:
        return [tokenizer.token_of(token) for token in tokenizer.encode(text, special_tokens=True)]

    assert after.vocabulary_size == len(after.vocabulary) < before.vocabulary_size
    assert [tokens(after, text) for text in USED] == [tokens(before, text) for text in USED]
    assert after.decode(after.encode(USED[0])) == USED[0]
    assert (after.padding_id is None) == (before.padding_id is None)
    assert after.token_of(after.unknown_id or 0) == before.token_of(before.unknown_id or 0)


def test_new_words_are_spelled_and_other_letters_unknown() -> None:
    after = truncated(MAKERS["wordpiece"](), USED)
    assert after.unknown_id not in after.encode("mast")
    assert after.encode("hugs") == [after.unknown_id]


def test_special_tokens_stay_although_no_text_uses_them() -> None:
    before = trained(WordTokenizer(special_tokens=("<name>", "<city>")), CORPUS)
    assert truncated(before, USED, ["<name>", "<none>"]).id_of("<name>") is not None
    assert truncated(before, USED).id_of("<city>") is None
