"""Tokenizers that the training split makes: characters, words, WordPiece, byte-level BPE.

The same texts give the same tokenizer, in every process. WordPiece of the library does not do that by itself: it
numbers the letters inside of words in the order of a hash table, and ties of frequency are decided by these numbers.
So the letters come first, in alphabetical order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tfopt.backend.text.tokenizer import TOKENIZER_JSON, Tokenizer, library
from tfopt.core.config.text.tokenizers import (
    UNKNOWN,
    BytePairTokenizer,
    CharTokenizer,
    TrainedTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from tfopt.errors import StageError

if TYPE_CHECKING:
    import tokenizers

CONTINUED = "##"
"""What WordPiece writes before a piece that is not the first of its word."""


def trained(config: TrainedTokenizer, texts: Sequence[str]) -> Tokenizer:
    """A tokenizer of these texts; its padding is token 0, what it does not know token 1.

    Args:
        config: its kind and size.
        texts: of the training split.

    Raises:
        StageError: the vocabulary has no room for the letters of the texts.
        EnvironmentProblem: `tokenizers` is not installed.
    """
    if isinstance(config, CharTokenizer):
        made = _characters(config, texts)
    elif isinstance(config, WordTokenizer):
        made = _words(config, texts)
    elif isinstance(config, WordPieceTokenizer):
        made = _word_pieces(config, texts)
    else:
        made = _byte_pairs(config, texts)
    special = config.all_special_tokens()
    made.add_special_tokens(list(special))
    add_around(made, config.begin, config.end)
    return Tokenizer.from_files({TOKENIZER_JSON: made.to_str(pretty=True).encode()})


def add_around(tokenizer: tokenizers.Tokenizer, begin: str | None, end: str | None) -> None:
    """Lets a tokenizer put tokens of its vocabulary before and after each text; nothing without any.

    Args:
        tokenizer: of the library.
        begin: token before each text.
        end: token after each text; in a pair after both.
    """
    if begin is None and end is None:
        return
    first = [token for token in (begin, "$A", end) if token is not None]
    second = [token for token in ("$B:1", end and f"{end}:1") if token is not None]
    special = [(token, tokenizer.token_to_id(token)) for token in dict.fromkeys((begin, end)) if token is not None]
    tokenizer.post_processor = library().processors.TemplateProcessing(
        single=" ".join(first), pair=" ".join([*first, *second]), special_tokens=special
    )


def _characters(config: CharTokenizer, texts: Sequence[str]) -> tokenizers.Tokenizer:
    tokenizers = library()
    normalizer = tokenizers.normalizers.Lowercase() if config.lowercase else None
    found = _letters(texts if normalizer is None else map(normalizer.normalize_str, texts))
    special = config.all_special_tokens()
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys((*special, *found)))}
    # BPE without merges: every character is a token, in one pass over a text of any length.
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, [], unk_token=UNKNOWN))
    made.decoder = tokenizers.decoders.Fuse()
    if normalizer is not None:
        made.normalizer = normalizer
    return made


def _words(config: WordTokenizer, texts: Sequence[str]) -> tokenizers.Tokenizer:
    tokenizers = library()
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({}, unk_token=UNKNOWN))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    if config.lowercase:
        made.normalizer = tokenizers.normalizers.Lowercase()
    trainer = tokenizers.trainers.WordLevelTrainer(
        vocab_size=config.vocabulary_size, special_tokens=list(config.all_special_tokens()), show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    return made


def _word_pieces(config: WordPieceTokenizer, texts: Sequence[str]) -> tokenizers.Tokenizer:
    tokenizers = library()
    special = config.all_special_tokens()
    scratch = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token=UNKNOWN))
    scratch.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=config.lowercase)
    scratch.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    letters = _letters(word for text in texts for word in _words_of(scratch, text))
    alphabet = [*letters, *(f"{CONTINUED}{letter}" for letter in letters)]
    if len(special) + len(alphabet) > config.vocabulary_size:
        raise StageError(
            f"The training texts have {len(letters)} different letters and signs, which need {len(alphabet)} tokens "
            f"at the start of words and inside, and {len(special)} special tokens; "
            f"data.text.tokenizer.vocabulary_size is {config.vocabulary_size}.",
            f"Write at least {len(special) + len(alphabet)}, or use kind: bpe.",
            code="out_of_range",
        )
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=config.vocabulary_size, special_tokens=[*special, *alphabet], show_progress=False
    )
    scratch.train_from_iterator(texts, trainer)
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(scratch.get_vocab(), unk_token=UNKNOWN))
    made.normalizer, made.pre_tokenizer = scratch.normalizer, scratch.pre_tokenizer
    made.decoder = tokenizers.decoders.WordPiece(prefix=CONTINUED)
    return made


def _byte_pairs(config: BytePairTokenizer, texts: Sequence[str]) -> tokenizers.Tokenizer:
    tokenizers = library()
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    if config.lowercase:
        made.normalizer = tokenizers.normalizers.Lowercase()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=config.vocabulary_size,
        special_tokens=list(config.all_special_tokens()),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return made


def _letters(texts: Iterable[str]) -> list[str]:
    found: set[str] = set()
    for text in texts:
        found.update(text)
    return sorted(found)


def _words_of(tokenizer: tokenizers.Tokenizer, text: str) -> list[str]:
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))]
