"""Tokens per second of one language model by every way to generate: full recomputation, caches, a draft.

A GPT of 15 million weights with random values (speed does not depend on them; how often a draft is right does), context
256. All ways continue the same 128 tokens, greedily, on one thread, in turns within one process, so that other load on
the machine meets all of them. Full recomputation is the same weights in a file that computes all positions of the
context in one call, once for each token. The draft is the int4 file of the same model.

    python benchmarks/generation.py [--rounds 7] [--tokens 48] [--width 384] [--blocks 8]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from time import perf_counter

import tfopt.backend  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TensorFlow is imported)

# isort: split
import numpy as np
import tf_keras
from ai_edge_litert.interpreter import Interpreter

from tfopt.backend.decoding.loops import Counts, one_by_one, speculative
from tfopt.backend.decoding.model import GenerativeModel
from tfopt.backend.decoding.sampling import Sampling
from tfopt.backend.generation import convert
from tfopt.backend.generation.files import make_files
from tfopt.backend.generation.prepare import prepare
from tfopt.backend.generation.signatures import write_saved_model
from tfopt.backend.models.zoo import gpt
from tfopt.core.config.files.generate_file import GenerateFile, GenerateKeys

CONTEXT, VOCABULARY, PROMPT, VERIFY = 256, 2048, 128, 4
GREEDY = Sampling(temperature=0.0)
MODES = {"float32": "none", "int8": "dynamic", "int4": "int4", "int4 in blocks of 32": "int4_block32"}


def make(width: int, blocks: int, work: Path) -> int:
    """Writes the files of a model with random weights; returns the number of weights."""
    tf_keras.utils.set_random_seed(1)
    model = gpt.build((CONTEXT,), VOCABULARY, width=width, blocks=blocks, heads=width // 64, output="linear")
    files = {name: GenerateFile.model_validate({"quantize": mode}) for name, mode in MODES.items()}
    keys = GenerateKeys(files, prefill=(PROMPT - 1,), verify=VERIFY)
    prepared = prepare(model, keys, None)
    write_saved_model(model, prepared.plan, prepared.signatures, work / "saved_model")
    if failures := make_files(model, files, prepared.signatures.keys, work):
        raise SystemExit(str(failures))
    return int(model.count_params())


def recomputing(file: Path) -> Callable[[list[int], int], list[int]]:
    """Continues tokens by one call over the whole context for each."""
    interpreter = Interpreter(str(convert.whole_of(file)), num_threads=1)
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()

    def run(prompt: list[int], count: int) -> list[int]:
        tokens = list(prompt)
        for _ in range(count):
            padded = np.zeros((1, CONTEXT), np.int32)
            padded[0, : len(tokens)] = tokens
            (logits,) = runner(**{name: padded}).values()
            tokens.append(int(np.argmax(logits[0, len(tokens) - 1])))
        return tokens[len(prompt) :]

    return run


def caching(file: Path, draft: Path | None = None) -> tuple[Callable[[list[int], int], list[int]], Counts]:
    """Continues tokens with caches, and with a draft where one is given."""
    model, counts = GenerativeModel(file), Counts()
    small = None if draft is None else GenerativeModel(draft)

    def run(prompt: list[int], count: int) -> list[int]:
        random = np.random.default_rng(0)
        if small is None:
            loop = one_by_one(model, prompt, GREEDY, random, counts)
        else:
            loop = speculative(model, small, prompt, GREEDY, random, counts)
        next(loop)  # the prompt is read
        begun[0] = perf_counter()
        return [token for token in islice(loop, count) if token is not None]

    return run, counts


begun = [0.0]


def main() -> None:
    """Prints one row for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 7), ("tokens", 48), ("width", 384), ("blocks", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        weights = make(asked.width, asked.blocks, work)
        files = {name: work / f"{name}.tflite" for name in MODES}
        ways: dict[str, tuple[Callable[[list[int], int], list[int]], Path, int]] = {}
        for name in ("float32", "int8"):
            ways[f"full recomputation, {name}"] = recomputing(files[name]), files[name], 4
        for name, file in files.items():
            ways[f"caches, {name}"] = caching(file)[0], file, asked.tokens
        run, counts = caching(files["float32"], files["int4"])
        ways["caches, float32, the int4 file as draft"] = run, files["float32"], asked.tokens
        prompt = [int(token) for token in np.random.default_rng(0).integers(1, VOCABULARY, PROMPT)]
        rates: dict[str, list[float]] = {name: [] for name in ways}
        made: dict[str, list[int]] = {}
        for turn in range(asked.rounds + 1):
            for name, (generate, _, count) in ways.items():
                begun[0] = perf_counter()
                made[name] = generate(prompt, count)
                if turn:  # the first warms up
                    rates[name].append(count / (perf_counter() - begun[0]))
        exact = ["caches, float32", "caches, float32, the int4 file as draft"]
        if made[exact[0]] != made[exact[1]] or made[exact[0]][:4] != made["full recomputation, float32"]:
            raise SystemExit(f"the ways of the float32 file differ: {made}")
        print(f"{weights:,} weights, context {CONTEXT}, {asked.rounds} rounds in turns, one thread")
        print(f"draft: {counts.accepted} of {counts.proposed} tokens accepted\n")
        print("| way | bytes | tokens/s (10th-90th percentile) | against recomputation | against float32 caches |")
        print("|---|---|---|---|---|")
        median = {name: float(np.median(found)) for name, found in rates.items()}
        whole, cached = median["full recomputation, float32"], median["caches, float32"]
        for name, (_, file, _) in ways.items():
            low, high = np.percentile(rates[name], [10, 90])
            rate = f"{median[name]:.1f} ({low:.1f}-{high:.1f})"
            shares = f"{median[name] / whole:.1f}x | {median[name] / cached:.2f}x"
            print(f"| {name} | {file.stat().st_size:,} | {rate} | {shares} |")


if __name__ == "__main__":
    main()
