"""Tokens per second of one language model by every way to generate: full recomputation, caches, a draft.

A GPT of 15 million weights with random values, context 256. All ways continue the same 128 tokens, greedily, on one
thread, in turns within one process, so that other load on the machine meets all of them. Full recomputation is the same
weights in a file that computes all positions of the context in one call, once for each token.

Speed does not depend on the values of weights, but how often a draft is right does. The blocks after the first are
damped here (`DAMPING`), so that the draft, the first block between the same tables, is often right: the share is in the
table. How often a distilled draft is right depends on model and text.

    python benchmarks/generation.py --files FOLDER --only-files     # makes the files
    python benchmarks/generation.py --files FOLDER [--rounds 7] [--tokens 48] [--page docs/generation.md]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

from measurements import replaced, table  # noqa: E402

from tfopt.backend.decoding.loops import Counts, one_by_one, speculative  # noqa: E402
from tfopt.backend.decoding.model import GenerativeModel  # noqa: E402
from tfopt.backend.decoding.sampling import Sampling  # noqa: E402
from tfopt.backend.generation.names import WHOLE  # noqa: E402
from tfopt.backend.generation.runner import Runner  # noqa: E402

CONTEXT, VOCABULARY, PROMPT, VERIFY, DAMPING = 256, 2048, 128, 4, 0.1
GREEDY = Sampling(temperature=0.0)
MODES = {"float32": "none", "int8": "dynamic", "int4": "int4", "int4 in blocks of 32": "int4_block32"}
WEIGHTS = "weights.json"


def make_all(folder: Path, width: int, blocks: int) -> None:
    """Writes the files of a model with random weights, and those of its draft."""
    import tf_keras

    from tfopt.backend.models.zoo import gpt

    tf_keras.utils.set_random_seed(1)
    sizes = {"width": width, "heads": width // 64, "output": "linear", "dropout": 0.0}
    model = gpt.build((CONTEXT,), VOCABULARY, blocks=blocks, **sizes)
    draft = gpt.build((CONTEXT,), VOCABULARY, blocks=1, **sizes)
    for layer in model.layers:
        last = layer.name.endswith(("_attention", "_feed_forward2"))
        if last and not layer.name.startswith("block1_"):
            *others, kernel, bias = layer.get_weights()
            layer.set_weights([*others, DAMPING * kernel, bias])
    for layer in draft.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    _write(model, MODES, folder)
    _write(draft, {"float32": "none", "int8": "dynamic"}, folder / "draft")
    (folder / WEIGHTS).write_text(json.dumps({"weights": int(model.count_params())}), encoding="utf-8")


def _write(model: object, modes: Mapping[str, str], folder: Path) -> None:
    from tfopt.backend.generation.files import make_files
    from tfopt.backend.generation.prepare import prepare
    from tfopt.backend.generation.signatures import write_saved_model
    from tfopt.core.config.files.generate_file import GenerateFile, GenerateKeys

    folder.mkdir(parents=True, exist_ok=True)
    files = {name: GenerateFile.model_validate({"quantize": mode}) for name, mode in modes.items()}
    prepared = prepare(model, GenerateKeys(files, prefill=(PROMPT - 1,), verify=VERIFY), None)
    write_saved_model(model, prepared.plan, prepared.signatures, folder / "saved_model")
    if failures := make_files(model, files, prepared.signatures.keys, folder):
        raise SystemExit(str(failures))


@dataclass
class Way:
    """One way to generate.

    Args:
        file: its file.
        tokens: how many it makes in a turn.
        run: continues the prompt; returns tokens and the seconds after the prompt was read.
        counts: what the draft did.
    """

    file: Path
    tokens: int
    run: Callable[[list[int], int], tuple[list[int], float]]
    counts: Counts


def recomputing(folder: Path, name: str) -> Way:
    """Continues tokens by one call over the whole context for each."""
    from tfopt.backend.generation.convert import whole_of

    file = folder / f"{name}.tflite"
    runner = Runner(str(whole_of(file)))

    def run(prompt: list[int], count: int) -> tuple[list[int], float]:
        tokens, began = list(prompt), perf_counter()
        for _ in range(count):
            padded = [*tokens, *[0] * (CONTEXT - len(tokens))]
            _, logits = runner.call(WHOLE, padded, 0, runner.empty())
            tokens.append(int(np.argmax(logits[len(tokens) - 1])))
        return tokens[len(prompt) :], perf_counter() - began

    return Way(file, 4, run, Counts())


def caching(folder: Path, name: str, tokens: int, draft: str | None = None) -> Way:
    """Continues tokens with caches, and with a draft where one is given."""
    file, counts = folder / f"{name}.tflite", Counts()
    model = GenerativeModel(file)
    small = None if draft is None else GenerativeModel(folder / "draft" / f"{draft}.tflite")

    def run(prompt: list[int], count: int) -> tuple[list[int], float]:
        random = np.random.default_rng(0)
        if small is None:
            loop = one_by_one(model, prompt, GREEDY, random, counts)
        else:
            loop = speculative(model, small, prompt, GREEDY, random, counts)
        next(loop)  # the prompt is read
        began = perf_counter()
        made = [token for token in islice(loop, count) if token is not None]
        return made, perf_counter() - began

    return Way(file, tokens, run, counts)


def measured(folder: Path, rounds: int, tokens: int) -> str:
    """The table.

    Raises:
        SystemExit: two ways of the float32 file, or two of the int8 file, write different texts.
    """
    ways = {
        "full recomputation, float32": recomputing(folder, "float32"),
        "full recomputation, int8": recomputing(folder, "int8"),
        **{f"caches, {name}": caching(folder, name, tokens) for name in MODES},
        "caches, float32, with the draft in float32": caching(folder, "float32", tokens, "float32"),
        "caches, int8, with the draft in int8": caching(folder, "int8", tokens, "int8"),
    }
    prompt = [int(token) for token in np.random.default_rng(0).integers(1, VOCABULARY, PROMPT)]
    rates: dict[str, list[float]] = {name: [] for name in ways}
    made: dict[str, list[int]] = {}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            made[name], seconds = way.run(prompt, way.tokens)
            if turn:  # the first warms up
                rates[name].append(way.tokens / seconds)
    for mode in ("float32", "int8"):
        exact = made[f"caches, {mode}"]
        same = made[f"caches, {mode}, with the draft in {mode}"] == exact
        if not same or made[f"full recomputation, {mode}"] != exact[:4]:
            raise SystemExit(f"the ways of the {mode} file differ: {made}")
    median = {name: float(np.median(found)) for name, found in rates.items()}
    rows = []
    for name, way in ways.items():
        low, high = np.percentile(rates[name], [10, 90])
        taken = f"{100 * way.counts.accepted / way.counts.proposed:.0f} %" if way.counts.proposed else "–"
        shares = [median[name] / median[key] for key in ("full recomputation, float32", "caches, float32")]
        speed = f"{median[name]:.1f} ({low:.1f} to {high:.1f})"
        size = f"{way.file.stat().st_size / 1e6:.1f} MB"
        rows.append([name, size, speed, f"{shares[0]:.1f}x", f"{shares[1]:.2f}x", taken])
    head = ["way", "file", "tokens per second (10th to 90th percentile)", "against recomputation"]
    weights = json.loads((folder / WEIGHTS).read_text(encoding="utf-8"))["weights"]
    said = f"{weights:,} weights, context {CONTEXT}, {rounds} rounds in turns, one thread:\n\n"
    return said + table([*head, "against float32 caches", "draft accepted"], rows)


def main() -> None:
    """Makes the files where they are missing, then prints the table, and writes it into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 7), ("tokens", 48), ("width", 384), ("blocks", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--only-files", action="store_true")
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    if not (options.files / WEIGHTS).exists():
        make_all(options.files, options.width, options.blocks)
    if options.only_files:
        return
    made = measured(options.files, options.rounds, options.tokens)
    print(made)
    if options.page:
        options.page.write_text(replaced(options.page.read_text(encoding="utf-8"), "generation", made), "utf-8")


if __name__ == "__main__":
    main()
