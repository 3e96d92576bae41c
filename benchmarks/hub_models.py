"""Models of KerasHub, tiny and with random weights, through every stage to files that generate or classify.

    python benchmarks/hub_models.py [NAME...] [--out build/hub] [--page docs/language-models.md]

Each model learns a task of 24 tokens in some hundred steps: train, prune 50 %, cluster, qat; then float32 and int8
files, and files that generate in float32 and dynamic int8 of those that write. Where a recipe is refused before
training, the reason is kept, and the model goes through the rest without that stage or file. Results are one JSON file
per model in `--out`; a model that has one is not tried again. With `--page`, the table between the comments
`hub_models` is replaced.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

LENGTH, VOCABULARY = 8, 24
_ENCODER = {"vocabulary_size": VOCABULARY, "num_layers": 1, "hidden_dim": 16, "intermediate_dim": 32}
_HEADS = {**_ENCODER, "num_heads": 2, "max_sequence_length": LENGTH}
_QUERIES = {**_ENCODER, "num_query_heads": 2, "num_key_value_heads": 1}

CLASSIFIERS: Mapping[str, dict[str, Any]] = {
    "BertTextClassifier": _HEADS,
    "DistilBertTextClassifier": _HEADS,
    "RobertaTextClassifier": _HEADS,
    "XLMRobertaTextClassifier": _HEADS,
    "AlbertTextClassifier": {**_HEADS, "embedding_dim": 8},
    "DebertaV3TextClassifier": _HEADS,
    "FNetTextClassifier": {key: value for key, value in _HEADS.items() if key != "num_heads"},
    "RoformerV2TextClassifier": {**_ENCODER, "num_heads": 2, "head_size": 8},
}
"""Tasks that classify, with the arguments of their backbone."""
ENCODERS: Mapping[str, dict[str, Any]] = {
    "ElectraBackbone": {
        **{key: value for key, value in _HEADS.items() if key != "vocabulary_size"},
        "vocab_size": VOCABULARY, "embedding_dim": 16, "output": "pooled_output",
    },
}  # fmt: skip
"""Backbones without a task that classifies; their vector has as many numbers as there are classes."""
WRITERS: Mapping[str, dict[str, Any]] = {
    "GPT2CausalLM": _HEADS,
    "GPTNeoXCausalLM": _HEADS,
    "OPTCausalLM": _HEADS,
    "BloomCausalLM": {**_ENCODER, "num_heads": 2},
    "LlamaCausalLM": _QUERIES,
    "Llama3CausalLM": _QUERIES,
    "MistralCausalLM": {**_QUERIES, "sliding_window": LENGTH},
    "GemmaCausalLM": {**_QUERIES, "head_dim": 8},
    "QwenCausalLM": _QUERIES,
    "Qwen3CausalLM": {**_QUERIES, "head_dim": 8},
    "Phi3CausalLM": {**_QUERIES, "num_key_value_heads": 2},
    "FalconCausalLM": {**_ENCODER, "num_attention_heads": 2},
}
"""Tasks that write."""
NAMES = (*CLASSIFIERS, *ENCODERS, *WRITERS)


def texts() -> tuple[np.ndarray, np.ndarray]:
    """Padded texts (examples, LENGTH); the second token says the class."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 16, 320)
    tokens = random.integers(17, VOCABULARY, (320, LENGTH))
    tokens[:, 1] = 1 + classes
    tokens[np.arange(LENGTH) >= random.integers(4, LENGTH + 1, 320)[:, None]] = 0
    return tokens.astype(np.int32), classes


def windows() -> tuple[np.ndarray, np.ndarray]:
    """Texts in which each token is three more than the one before, without padding."""
    random = np.random.default_rng(0)
    tokens = 1 + (random.integers(0, VOCABULARY - 1, (320, 1)) + np.arange(LENGTH + 1) * 3) % (VOCABULARY - 1)
    return tokens[:, :-1].astype(np.int32), tokens[:, 1:].astype(np.int32)


def recipe_of(name: str, left_out: frozenset[str]) -> dict[str, Any]:
    """The recipe of a model without some stages and files."""
    writes = name in WRITERS
    args = {**CLASSIFIERS, **ENCODERS, **WRITERS}[name]
    source = f"keras_hub.models.{name}"
    model: dict[str, Any] = {"source": source, "args": {"backbone": args} if name not in ENCODERS else args}
    rate = {"kind": "cosine", "initial": 1e-2, "final": 1e-4}
    schedule = {"kind": "polynomial", "final": "50%", "end": "50%"}
    stages = [
        {"train": {"epochs": 16, "learning_rate": rate}},
        {"prune": {"epochs": 6, "schedule": schedule}},
        {"cluster": {"epochs": 2, "clusters": 16, "preserve_sparsity": True}},
        {"qat": {"epochs": 3}},
    ]
    files = {"float32": {}, "int8": {"quantize": "int8", "agreement": "90%"}}
    export: dict[str, Any] = {"tflite": {key: value for key, value in files.items() if key not in left_out}}
    if writes and "generate" not in left_out:
        export["generate"] = {"prefill": [4], "files": {"float32": {}, "int8": {"quantize": "dynamic"}}}
    return {
        "name": name.lower(),
        "seed": 1,
        "data": {"source": f"hub_models:{'windows' if writes else 'texts'}", "batch_size": 32},
        "model": model,
        "compile": {
            "optimizer": {"name": "adam", "learning_rate": 3e-3},
            "loss": {"name": "sparse_categorical_crossentropy", "from_logits": True},
            "metrics": ["accuracy"],
        },
        "stages": [stage for stage in stages if next(iter(stage)) not in left_out],
        "export": export,
    }


def tried(name: str, folder: Path) -> dict[str, Any]:
    """Runs a model; stages and files that are refused before training are left out, with the reason."""
    import tfopt
    from tfopt.errors import TfoptError

    refused: dict[str, str] = {}
    while True:
        path = folder / f"{name}.json"
        path.write_text(json.dumps(recipe_of(name, frozenset(refused))), encoding="utf-8")
        began = time.perf_counter()
        try:
            run = tfopt.run(tfopt.load(path), out=folder / "runs")
        except TfoptError as error:
            said = f"{error.code}: {error}"
            part = next((part for part in ("qat", "cluster", "generate") if part in said and part not in refused), None)
            if part is None:
                return {"name": name, "failed": said, "refused": refused}
            refused[part] = said
            continue
        broken = [
            f"{file.name}: {claim.code}: {claim.found.split('; ')[0]}"
            for file in run.report.exports
            for claim in file.claims
            if not claim.held
        ]
        errors = [f"{file.name}: {file.error}" for file in run.report.exports if file.error]
        accuracy = {stage.kind: stage.measures.get("accuracy") for stage in run.report.stages}
        accuracy |= {file.name: file.measures.get("accuracy") for file in run.report.exports}
        return {
            "name": name,
            "seconds": time.perf_counter() - began,
            "refused": refused,
            "broken": broken,
            "errors": errors,
            "claims": sum(len(file.claims) for file in run.report.exports),
            "accuracy": accuracy,
            "warnings": [*run.report.warnings],
        }


def rows(found: Mapping[str, dict[str, Any]]) -> list[list[str]]:
    """One row for each model, also for those without a result."""
    made = []
    for name in NAMES:
        if name not in found:
            made.append([f"`{name}`", "–", "–", "–", "–", "not run"])
            continue
        result = found[name]
        if "failed" in result:
            made.append([f"`{name}`", "–", "–", "–", "–", f"refused: {_short(result['failed'])}"])
            continue
        accuracy = result["accuracy"]
        shown = [_percent(accuracy.get(key)) for key in ("train", "prune", "int8", "generate_int8")]
        held = result["claims"] - len(result["broken"])
        said = [f"{held} of {result['claims']} claims"]
        said += [f"no {part}: {_short(reason)}" for part, reason in result["refused"].items()]
        made.append(
            [
                f"`{name}`",
                *shown,
                "; ".join([*said, *(each.split("; ")[0] for each in result["broken"]), *result["errors"]]),
            ]
        )
    return made


def _short(reason: str) -> str:
    """The first sentence of the first problem, without its place in the recipe."""
    first = re.sub(r"^\w+: (\S+\.json:\d+:\d+: )?", "", reason.splitlines()[0])
    first = first.removeprefix("export.generate needs a model that computes one position after the other. ")
    first = first.split("; ")[0].replace("|", "/")
    return first + ")" * (first.count("(") - first.count(")"))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def main() -> None:
    """Tries what has no result, and prints or writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("build/hub"))
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or NAMES:
        file = options.out / f"{name}.result.json"
        if not file.exists():
            result = tried(name, options.out)
            file.write_text(json.dumps(result, indent=1, default=str), encoding="utf-8")
            print(json.dumps(result, indent=1, default=str), flush=True)
    from measurements import replaced, table

    results = [json.loads(path.read_text(encoding="utf-8")) for path in options.out.glob("*.result.json")]
    head = ["model", "trained", "pruned", "int8", "generates, int8", "claims, and what is refused before training"]
    made = table(head, rows({result["name"]: result for result in results}))
    print(made)
    if options.page:
        options.page.write_text(replaced(options.page.read_text(encoding="utf-8"), "hub_models", made), "utf-8")


if __name__ == "__main__":
    main()
