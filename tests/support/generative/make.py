"""Writes the files of this folder: tiny random language models with the signatures that LiteRT-LM reads.

They need no training: what is tested is how tokens become text, not which. Run once, with TensorFlow:

    python -m tests.support.generative.make
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

FOLDER = Path(__file__).parent
CHARACTERS = "abcdefghijk ."
VOCABULARY = len(CHARACTERS) + 1
"""Token 0 is padding."""
CONTEXT = 16
HEADS, SIZE = 2, 4
WIDTH = HEADS * SIZE
BLOCKED = np.float32(-0.7 * np.finfo(np.float32).max)


class Attention(tf.Module):
    """One block of attention with learned positions, and a head; caches as inputs and outputs."""

    def __init__(self, seed: int, sharpness: float) -> None:
        super().__init__()
        random = np.random.RandomState(seed)
        self.embedding = tf.constant(random.randn(VOCABULARY, WIDTH), tf.float32)
        self.positions = tf.constant(random.randn(CONTEXT, WIDTH), tf.float32)
        self.kernels = [tf.constant(random.randn(WIDTH, WIDTH) / WIDTH**0.5, tf.float32) for _ in range(4)]
        self.head = tf.constant(sharpness * random.randn(WIDTH, VOCABULARY) / WIDTH**0.5, tf.float32)

    def step(self, tokens, input_pos, mask, keys, values, count: int, head: bool):
        x = tf.gather(self.embedding, tf.reshape(tokens, [count]))
        x = x + tf.gather(self.positions, input_pos)
        query, key, value = (tf.reshape(x @ k, [count, HEADS, SIZE]) for k in self.kernels[:3])
        start = tf.reshape(tf.slice(input_pos, [0], [1]), [])
        zero = tf.constant(0)
        keys = xla.dynamic_update_slice(
            keys, tf.reshape(tf.transpose(key, [1, 0, 2]), [1, HEADS, count, SIZE]), tf.stack([zero, zero, start, zero])
        )
        values = xla.dynamic_update_slice(
            values,
            tf.reshape(tf.transpose(value, [1, 2, 0]), [1, HEADS, SIZE, count]),
            tf.stack([zero, zero, zero, start]),
        )
        query = tf.reshape(tf.transpose(query, [1, 0, 2]), [1, HEADS, count, SIZE])
        scores = tf.matmul(query, keys, transpose_b=True) / SIZE**0.5 + mask
        mixed = tf.matmul(tf.nn.softmax(scores), values, transpose_b=True)
        mixed = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [count, WIDTH]) @ self.kernels[3]
        out = {"kv_cache_k_0": keys, "kv_cache_v_0": values}
        if head:
            out["logits"] = tf.reshape((x + mixed) @ self.head, [1, count, VOCABULARY])
        return out


class Recurrent(tf.Module):
    """A recurrent network whose state is an input and an output."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        random = np.random.RandomState(seed)
        self.embedding = tf.constant(random.randn(VOCABULARY, WIDTH), tf.float32)
        self.kernel = tf.constant(random.randn(WIDTH, WIDTH) / WIDTH**0.5, tf.float32)
        self.head = tf.constant(4 * random.randn(WIDTH, VOCABULARY) / WIDTH**0.5, tf.float32)

    def step(self, tokens, state, count: int, head: bool):
        x = tf.gather(self.embedding, tf.reshape(tokens, [count]))
        for one in tf.split(x, count):
            state = tf.tanh(state @ self.kernel + one)
        return {"state_0": state} | ({"logits": tf.reshape(state @ self.head, [1, 1, VOCABULARY])} if head else {})


def attention_signatures(model: Attention) -> dict:
    def spec(count: int):
        return {
            "tokens": tf.TensorSpec([1, count], tf.int32, name="tokens"),
            "input_pos": tf.TensorSpec([count], tf.int32, name="input_pos"),
            "mask": tf.TensorSpec([1, 1, count, CONTEXT], tf.float32, name="mask"),
            "kv_cache_k_0": tf.TensorSpec([1, HEADS, CONTEXT, SIZE], tf.float32, name="kv_cache_k_0"),
            "kv_cache_v_0": tf.TensorSpec([1, HEADS, SIZE, CONTEXT], tf.float32, name="kv_cache_v_0"),
        }

    def function(count: int, head: bool):
        def call(tokens, input_pos, mask, kv_cache_k_0, kv_cache_v_0):
            return model.step(tokens, input_pos, mask, kv_cache_k_0, kv_cache_v_0, count, head)

        return tf.function(call).get_concrete_function(**spec(count))

    return {
        "prefill_2": function(2, False),
        "prefill_4": function(4, False),
        "decode": function(1, True),
        "verify_4": function(4, True),
    }


def recurrent_signatures(model: Recurrent) -> dict:
    def function(count: int, head: bool):
        def call(tokens, state_0):
            return model.step(tokens, state_0, count, head)

        return tf.function(call).get_concrete_function(
            tokens=tf.TensorSpec([1, count], tf.int32, name="tokens"),
            state_0=tf.TensorSpec([1, WIDTH], tf.float32, name="state_0"),
        )

    return {"prefill_4": function(4, False), "decode": function(1, True)}


def write(name: str, model: tf.Module, signatures: dict, folder: Path) -> None:
    import tempfile

    model.signatures_kept = list(signatures.values())
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(model, saved, signatures=signatures)
        converted = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=list(signatures)).convert()
    (folder / name).write_bytes(converted)
    print(name, len(converted))


def tokenizer() -> dict:
    vocabulary = {"<pad>": 0, **{character: index for index, character in enumerate(CHARACTERS, 1)}}
    special = {"content": "<pad>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": 0, "special": True, **special}],
        "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated", "invert": False},
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    }


def main() -> None:
    large, draft, recurrent = Attention(0, 4.0), Attention(1, 2.0), Recurrent(2)
    draft.embedding, draft.positions, draft.head = large.embedding, large.positions, 0.8 * large.head
    write("large.tflite", large, attention_signatures(large), FOLDER)
    signatures = attention_signatures(draft)
    write("draft.tflite", draft, {key: signatures[key] for key in ("prefill_4", "decode")}, FOLDER)
    write("recurrent.tflite", recurrent, recurrent_signatures(recurrent), FOLDER)
    (FOLDER / "tokenizer.json").write_text(json.dumps(tokenizer(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
