"""What a run's report says in words."""

from __future__ import annotations

import pytest

from tests.support.sample_report import lying_report, sample_report
from tfopt.core.records.report import BudgetRecord, DataRecord, SimulationRecord, StageRecord
from tfopt.core.records.text import TextRecord
from tfopt.report.run import rows, sentences


def test_a_run_that_held_says_so() -> None:
    verdict = sentences.verdict(sample_report())
    assert verdict == sentences.Verdict(True, "All 16 claims held and both budgets met.", ())


def test_a_stage_that_lost_to_plain_int8_is_in_the_verdict_and_once_only() -> None:
    report = sample_report()
    lost = SimulationRecord(stage="qat", quantum=0.1, plain={"accuracy": 0.99}, worse_than_plain=True)
    exports = [*report.exports[:-1], report.exports[-1].model_copy(update={"simulation": lost})]
    report = report.model_copy(update={"exports": exports})
    (concern,) = sentences.verdict(report).concerns
    assert "qat lost to plain int8" in concern
    report = report.model_copy(update={"warnings": [concern, "another"]})
    assert sentences.warnings(report) == ("another",)
    assert len(sentences.simulation_sentences(report)) == 1


def test_how_files_were_made_is_said_where_the_recipe_chose_it() -> None:
    report = sample_report()
    assert sentences.making_sentences(report) == ()
    details = {
        "without_stage": "qat",
        "calibration": 50,
        "calibrated_with": "select balanced",
        "rewritten": ["a -> b", "b -> c", "c -> d", "d -> e"],
    }
    exports = [*report.exports[:-1], report.exports[-1].model_copy(update={"details": details})]
    assert sentences.making_sentences(report.model_copy(update={"exports": exports})) == (
        "int8: quantized after training, from the model before qat (ptq: true).",
        "int8: calibrated with 50 training examples, select balanced.",
        "int8: channels are scaled between layers, the float model computes the same: "
        "a -> b, b -> c, c -> d and 1 more.",
    )


def test_what_exports_note_is_said_once_for_all_their_files() -> None:
    report = sample_report()
    assert not sentences.has_notes(report)
    exports = [each.model_copy(update={"details": {"notes": ["made by hand"]}}) for each in report.exports[:2]]
    noted = report.model_copy(update={"exports": exports})
    assert sentences.has_notes(noted)
    assert sentences.making_sentences(noted) == (f"{exports[0].name}, {exports[1].name}: made by hand.",)


def test_what_is_in_a_bundle_is_said() -> None:
    report = sample_report()
    details = {"files": ["float32", "int8"], "zip": "export/bundle.zip"}
    bundle = report.exports[-1].model_copy(update={"name": "bundle", "format": "bundle", "details": details})
    assert sentences.making_sentences(report.model_copy(update={"exports": [*report.exports, bundle]})) == (
        "bundle: float32, int8, with metadata, golden examples and code; the same in export/bundle.zip.",
    )


def test_what_did_not_hold_is_said_in_words_with_file_and_figures() -> None:
    verdict = sentences.verdict(lying_report())
    assert not verdict.good
    assert verdict.headline == "1 of 16 claims broken and 3 of 5 budgets not met."
    assert verdict.broken == (
        "int8 does not hold 'int8 only': FULLY_CONNECTED computes in float32 (tensor small_cnn/logits, layer logits)",
        "int8.latency_ms is 12.1 µs; the budget is at most 10 µs.",
        "dynamic.accuracy is 97.8%; the budget is at least 99%.",
        "float32.gzip_bytes could not be measured; the budget is 30 kB.",
    )


def test_a_budget_missed_by_less_than_the_spelling_shows_is_spelled_out() -> None:
    report = sample_report().model_copy(
        update={"budgets": [BudgetRecord(name="int8.bytes", limit=60_000, value=60_004, met=False)]}
    )
    assert rows.budget_rows(report)[0].sentence == "int8.bytes is 60004; the budget is at most 60000."


@pytest.mark.parametrize(
    ("state", "error", "start"),
    [
        ("failed", "prune: loss is not a number.", "The run failed: prune: loss"),
        ("interrupted", None, "The run was inter"),
    ],
)
def test_a_run_that_did_not_finish_is_never_good(state: str, error: str | None, start: str) -> None:
    run = sample_report().run.model_copy(update={"state": state, "error": error})
    verdict = sentences.verdict(sample_report().model_copy(update={"run": run}))
    assert not verdict.good
    assert verdict.headline.startswith(start)


def test_skipped_layers_are_named_with_the_reason() -> None:
    assert sentences.skip_sentences(sample_report()) == (
        "prune left logits unchanged: a rule of the recipe says skip",
        "qat left logits unchanged: a rule of the recipe says skip",
    )


def test_how_to_repeat_pins_the_versions() -> None:
    install, run = sentences.how_to_repeat(sample_report())
    assert "tensorflow==2.21.0" in install
    assert "tf-keras==2.21.0" in install
    assert run == "tfopt run saved_models/digits-prune-qat/20260727-141503-5f2c/recipe.yaml --fresh"


def test_sizes_are_explained_where_a_model_was_pruned_or_clustered() -> None:
    report = sample_report()
    train, prune, qat = report.stages
    cluster = prune.model_copy(update={"name": "cluster", "kind": "cluster"})

    def said(*stages: StageRecord) -> str | None:
        return sentences.size_sentence(report.model_copy(update={"stages": list(stages)}))

    assert said(train, qat) is None
    assert said(train, prune) == (
        "Zeros do not make a file smaller, only its compressed form (gzip), which is what app stores ship."
    )
    both = said(train, prune, cluster, qat)
    assert both is not None
    assert both.startswith("Zeros and shared values do not make a file smaller")


def test_an_integer_file_that_is_larger_than_a_mixed_one_is_explained() -> None:
    report = sample_report()
    assert sentences.scales_sentence(report) is None
    sizes = {"dynamic": 45_000, "int8": 60_000}
    exports = []
    for export in report.exports:
        audit = export.audit
        if audit is not None and export.name == "dynamic":
            tensors = [t.model_copy(update={"dtype": "int8"}) if t.role == "weight" else t for t in audit.tensors]
            audit = audit.model_copy(update={"tensors": tensors, "float_operators": {"CONV_2D": 2}})
        changed = {"bytes": sizes.get(export.name, export.bytes), "audit": audit}
        exports.append(export.model_copy(update=changed))
    said = sentences.scales_sentence(report.model_copy(update={"exports": exports}))
    assert said is not None
    assert said.startswith("int8 (60.0 kB) is larger than dynamic (45.0 kB)")


def test_a_distilled_stage_names_its_teacher_with_its_metric() -> None:
    report = sample_report()
    teachers = (
        {"loss": "soft_labels", "sources": ["stage train"], "asked": "once", "measures": {"accuracy": 0.9}},
        {"loss": "none"},
    )
    taught = [
        stage.model_copy(update={"details": {"teacher": distiller}})
        for stage, distiller in zip(report.stages, teachers, strict=False)
    ]
    first, second = (stage.name for stage in taught[:2])
    assert sentences.distillation_sentences(report.model_copy(update={"stages": taught})) == (
        f"{first} was distilled from stage train (accuracy 90.0%), by soft labels, evaluated once",
        f"{second} was distilled from the moving average of its own weights, by layers only",
    )
    assert sentences.distillation_sentences(report) == ()


def test_texts_are_told_with_the_share_that_was_cut_or_is_unknown() -> None:
    text = TextRecord(
        task="classification",
        tokenizer="word",
        vocabulary_size=4000,
        length=32,
        median_tokens=9.0,
        cut=0.125,
        unknown=0.031,
    )
    source = DataRecord(source="clinc150", train=15000, validation=3000, test=4500, text=text)
    assert sentences.examples_sentence(source) == (
        "clinc150: 15,000 training, 3,000 validation, 4,500 test examples; 32 tokens each, of 4,000 (word); 12.5% of "
        "the training texts are longer and were cut; 3.1% of the tokens of the test split are unknown"
    )
    plain = source.model_copy(update={"text": text.model_copy(update={"cut": None, "unknown": 0.0})})
    assert sentences.examples_sentence(plain).endswith("; 32 tokens each, of 4,000 (word)")
