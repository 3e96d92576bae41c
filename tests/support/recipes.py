"""A recipe for the tests of the language, and random ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tfopt.catalog.catalog import catalog
from tfopt.core.language.quantities import format_share
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.export.keras import Keras
from tfopt.export.tflite import Tflite
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train


def known() -> Catalog:
    """The stages and exports that come with tfopt."""
    found = catalog()
    if not (found.stages["prune"] is Prune and found.stages["train"] is Train):
        raise LookupError("the catalog does not hold the classes themselves")
    if not (found.exports["tflite"] is Tflite and found.exports["keras"] is Keras):
        raise LookupError("the catalog does not hold the classes themselves")
    return found


def document() -> dict[str, Any]:
    """A good recipe as plain values, new at each call."""
    return {
        "name": "digits",
        "seed": 7,
        "data": {"source": "digits", "batch_size": 64},
        "model": {"source": "small_cnn", "args": {"filters": [16, 32]}},
        "compile": {
            "optimizer": {"name": "adam", "learning_rate": 1e-3, "clipnorm": 1.0},
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        "stages": [
            {"train": {"epochs": 15}},
            {
                "prune": {
                    "epochs": 10,
                    "schedule": {"kind": "polynomial", "initial": "30%", "final": "80%", "begin": "0%", "end": "70%"},
                    "layers": [{"match": "logits", "skip": True}],
                }
            },
            {"qat": {"epochs": 5}},
        ],
        "export": {"keras": None, "tflite": {"float32": None, "int8": {"quantize": "int8", "io": "int8"}}},
        "budgets": {"int8.accuracy_drop": "1%", "int8.bytes": "60 kB"},
    }


def recipe(*stages: dict[str, Any], stage_types: Catalog | None = None) -> Recipe:
    """The good recipe with other stages and without budgets, checked as if it came from a file."""
    return build_recipe({**document(), "stages": list(stages), "budgets": {}}, stage_types or known())


_shares = st.floats(min_value=0.001, max_value=0.99)
_rates = st.floats(min_value=1e-8, max_value=10, exclude_min=True)
# A text that begins with ./ or ~/ is a path, which reading a file makes absolute.
_texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12).filter(
    lambda text: not text.startswith((".", "~"))
)
_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)
_spans = st.one_of(
    st.floats(0, 1).map(lambda share: f"{share * 100:.6f}%"), st.integers(0, 500).map(lambda count: f"{count} steps")
)


@st.composite
def _schedules(draw: st.DrawFn) -> dict[str, Any]:
    low, high = sorted((draw(_shares), draw(_shares)))
    if draw(st.booleans()):
        return {
            "kind": "constant",
            "final": high,
            "end": "60%",
            "every": draw(st.integers(1, 99).map("{} steps".format)),
        }
    return {"kind": "polynomial", "initial": low, "final": format_share(high), "power": draw(st.floats(0.1, 5))}


_learning_rates = st.one_of(
    _rates,
    st.fixed_dictionaries({"kind": st.just("cosine"), "initial": _rates}, optional={"warmup": st.just("5%")}),
    st.fixed_dictionaries({"kind": st.just("exponential"), "initial": _rates, "every": st.just("1 epoch")}),
    st.fixed_dictionaries({"kind": st.just("plateau"), "initial": _rates, "monitor": st.just("val_accuracy")}),
    st.fixed_dictionaries(
        {
            "kind": st.just("piecewise"),
            "initial": _rates,
            "steps": st.just([{"at": "10%", "rate": 0.1}, {"at": "50%", "rate": 0.01}]),
        }
    ),
)
_training: dict[str, Any] = {
    "learning_rate": _learning_rates,
    "early_stopping": st.fixed_dictionaries(
        {}, optional={"patience": st.integers(1, 9), "restore_best": st.booleans()}
    ),
    "class_weights": st.just("balanced") | st.dictionaries(st.integers(0, 9), st.floats(0, 9), min_size=1, max_size=3),
    "tensorboard": st.booleans(),
}
_trains = st.fixed_dictionaries({"epochs": st.integers(1, 99)}, optional=_training)
_prunes = st.fixed_dictionaries(
    {"epochs": st.integers(1, 99), "schedule": _schedules()},
    optional={
        **_training,
        "block_size": st.lists(st.integers(1, 8), min_size=2, max_size=2),
        "layers": st.lists(
            st.fixed_dictionaries(
                {"match": st.just("conv.*")}, optional={"skip": st.just(True), "type": st.just("Conv2D")}
            ),
            max_size=3,
        ),
    },
)
_variants = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(
        lambda name: name not in ("keras", "saved_model")
    ),
    st.none()
    | st.fixed_dictionaries({"quantize": st.sampled_from(["none", "float16", "dynamic", "int8"])})
    | st.fixed_dictionaries(
        {"quantize": st.just("int8"), "io": st.sampled_from(["int8", "uint8"]), "agreement": _shares}
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Good recipes of all sorts."""
    variants = draw(_variants)
    stages: list[dict[str, Any]] = [{"train": body} for body in draw(st.lists(_trains, max_size=2))]
    stages += [{"prune": body} for body in draw(st.lists(_prunes, max_size=2))]
    stages += draw(st.sampled_from([[], [{"qat": {"epochs": 2}}]]))
    measures = st.sampled_from(["bytes", "gzip_bytes", "latency_ms", "agreement", "accuracy", "accuracy_drop"])
    limits: dict[str, Any] = {
        "bytes": st.integers(0, 10**9),
        "gzip_bytes": st.integers(1, 999).map("{} KiB".format),
        "latency_ms": st.floats(0, 1e4).map("{!r} ms".format),
    }
    budgets = {
        f"{name}.{measure}": draw(limits.get(measure, _shares))
        for name in variants
        for measure in draw(st.lists(measures, max_size=3))
    }
    return {
        "name": draw(st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,12}", fullmatch=True)),
        "description": draw(_texts),
        "seed": draw(st.integers(0, 2**31)),
        "data": {
            "source": "my.module:load",
            "args": draw(st.dictionaries(_texts, _plain, max_size=3)),
            "splits": {"validation": draw(st.floats(0.01, 0.49)), "test": draw(st.floats(0.01, 0.49))},
            "augment": draw(st.none() | st.just({"flip": "horizontal", "shift": "10%", "crop": 2})),
        },
        "model": {"source": "my.module:build", "args": draw(st.dictionaries(_texts, _plain, max_size=3))},
        "compile": {
            "optimizer": draw(
                st.sampled_from(["adam", "sgd"])
                | st.fixed_dictionaries({"name": st.just("sgd"), "momentum": st.floats(0, 1)})
            ),
            "metrics": ["accuracy", {"name": "sparse_top_k_categorical_accuracy", "k": 3}],
        },
        "stages": stages,
        "export": {"tflite": variants, "keras": {}},
        "budgets": budgets,
    }


anything = st.recursive(
    st.sampled_from(
        [
            "adam",
            "constant",
            "80%",
            "3 epochs",
            "5 ms",
            "9 kB",
            "train",
            "prune",
            "kind",
            "name",
            "int8",
            "",
            "a.b",
            "-1%",
        ]
    )
    | st.none()
    | st.booleans()
    | st.integers(-2, 20)
    | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "name", "epochs", "schedule", "final", "train", "prune", "initial", "int8"])
            | st.integers(0, 2)
            | st.none()
            | st.booleans(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)
"""Any plain value, often one that makes sense somewhere else in a recipe."""
