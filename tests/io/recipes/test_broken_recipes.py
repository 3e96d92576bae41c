"""Every mistake has its one clear message, at its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.catalog import Catalog
from tfopt.errors import RecipeError
from tfopt.io.recipes.recipe_file import load_recipe

GOOD = """\
name: digits
seed: 7
data:
  source: digits
  batch_size: 64
model:
  source: small_cnn
  args: {filters: [16, 32]}
compile:
  optimizer: {name: adam, learning_rate: 1e-3}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
stages:
  - train: {epochs: 15}
  - prune:
      epochs: 10
      schedule: {kind: polynomial, initial: 30%, final: 80%, begin: 0%, end: 70%}
  - qat: {epochs: 5}
export:
  keras: {}
  tflite:
    float32: {}
    int8: {quantize: int8, io: int8}
budgets:
  int8.bytes: 60 kB
"""


@dataclass(frozen=True)
class Broken:
    """A mistake: what is written instead of a part of the good recipe, and what the user is told.

    Args:
        good: the part.
        bad: what stands there instead.
        code: of the problem.
        place: line and column of the message.
        message: all of it.
    """

    good: str
    bad: str
    code: str
    place: str
    message: str


BROKEN = {
    "unknown key at the top": Broken(
        "seed: 7", "sead: 7", "unknown_key", "2:1", "the recipe has no key 'sead'. Did you mean 'seed'?"
    ),
    "unknown key of a stage": Broken(
        "      schedule:",
        "      shedule:",
        "unknown_key",
        "17:7",
        "prune has no key 'shedule'. Did you mean 'schedule'?",
    ),
    "unknown key of data": Broken(
        "batch_size: 64",
        "batchsize: 64",
        "unknown_key",
        "5:3",
        "data has no key 'batchsize'. Did you mean 'batch_size'?",
    ),
    "sparsity above 100%": Broken(
        "final: 80%",
        "final: 120%",
        "invalid_value",
        "17:57",
        "prune.schedule.final must be at least 0% and below 100%. Got 120% (write 80% for four zeros in five).",
    ),
    "not a percentage": Broken(
        "final: 80%",
        "final: lots",
        "invalid_value",
        "17:57",
        "prune.schedule.final must be a percentage such as 80% or a number such as 0.8. Got 'lots'.",
    ),
    "span without unit": Broken(
        "end: 70%",
        "end: 70",
        "invalid_value",
        "17:78",
        "prune.schedule.end must have a unit: a share of the stage such as 70%, or 3 epochs, or 200 steps. Got 70.",
    ),
    "span with a wrong unit": Broken(
        "end: 70%",
        "end: 70 px",
        "invalid_value",
        "17:78",
        "prune.schedule.end must have a unit: a share of the stage such as 70%, or 3 epochs, or 200 steps. Got 70 px.",
    ),
    "end before begin": Broken(
        "begin: 0%, end: 70%",
        "begin: 80%, end: 70%",
        "wrong_order",
        "17:79",
        "prune.schedule.end is 70%: it must come after begin (80%).",
    ),
    "schedule longer than its stage": Broken(
        "end: 70%",
        "end: 12 epochs",
        "outside_stage",
        "17:78",
        "prune.schedule.end is 12 epochs, but the stage has 10 epochs: 80% would never be reached.",
    ),
    "schedule that never begins": Broken(
        "begin: 0%",
        "begin: 10 epochs",
        "outside_stage",
        "17:69",
        "prune.schedule.begin is 10 epochs, but the stage has 10 epochs: pruning would never begin.",
    ),
    "masks that are never updated": Broken(
        "end: 70%",
        "end: 70%, every: 8 epochs",
        "outside_stage",
        "17:90",
        "prune.schedule.every is 8 epochs, longer than from begin to end: the masks would never be updated.",
    ),
    "sparsity that falls": Broken(
        "initial: 30%",
        "initial: 90%",
        "wrong_order",
        "17:45",
        "prune.schedule: initial is 90%, above final (80%): this schedule never gives zeros back; make initial at most "
        "final.",
    ),
    "schedule without kind": Broken(
        "{kind: polynomial, initial: 30%,",
        "{",
        "missing_key",
        "17:17",
        "prune.schedule needs the key 'kind': polynomial, constant",
    ),
    "missing key": Broken(
        "train: {epochs: 15}",
        "train: {}",
        "missing_key",
        "14:5",
        "train needs the key 'epochs': passes over the training split.",
    ),
    "stage without a body": Broken(
        "train: {epochs: 15}",
        "train:",
        "missing_key",
        "14:5",
        "train needs the key 'epochs': passes over the training split.",
    ),
    "missing block": Broken(
        "model:\n  source: small_cnn\n  args: {filters: [16, 32]}\n",
        "",
        "missing_key",
        "1:1",
        "the recipe needs the key 'model': which model.",
    ),
    "text for a number": Broken(
        "epochs: 15", "epochs: many", "wrong_type", "14:21", "train.epochs must be a whole number. Got 'many'."
    ),
    "number in quotes": Broken(
        "epochs: 15",
        "epochs: '15'",
        "wrong_type",
        "14:21",
        "train.epochs must be a whole number. Got '15' (without the quotes).",
    ),
    "truth value for a number": Broken(
        "epochs: 15", "epochs: true", "wrong_type", "14:21", "train.epochs must be a whole number. Got true."
    ),
    "fraction for a whole number": Broken(
        "epochs: 15", "epochs: 1.5", "wrong_type", "14:21", "train.epochs must be a whole number. Got 1.5."
    ),
    "out of range": Broken(
        "epochs: 15", "epochs: 0", "out_of_range", "14:21", "train.epochs must be at least 1. Got 0."
    ),
    "number for a text": Broken(
        "name: digits", "name: 5", "wrong_type", "1:7", "name must be a text. Got 5 (put it in quotes: '5')."
    ),
    "name that is no folder": Broken(
        "name: digits",
        "name: my digits",
        "invalid_value",
        "1:7",
        "name must be made of letters, digits, '.', '-' and '_', and begin with a letter or digit. Got 'my digits'.",
    ),
    "yes is a text in YAML 1.2": Broken(
        "epochs: 15",
        "epochs: 15, tensorboard: yes",
        "wrong_type",
        "14:38",
        "train.tensorboard must be true or false. Got 'yes'.",
    ),
    "scalar for a block": Broken(
        "{kind: polynomial, initial: 30%, final: 80%, begin: 0%, end: 70%}",
        "80%",
        "wrong_type",
        "17:17",
        "prune.schedule must be a mapping (keys with values). Got 80%.",
    ),
    "neither number nor schedule": Broken(
        "learning_rate: 1e-3",
        "learning_rate: fast",
        "wrong_type",
        "10:42",
        "compile.optimizer.learning_rate must be a number or a mapping (keys with values). Got 'fast'.",
    ),
    "number that is no learning rate": Broken(
        "learning_rate: 1e-3",
        "learning_rate: -1",
        "out_of_range",
        "10:42",
        "compile.optimizer.learning_rate must be above 0. Got -1.",
    ),
    "unknown kind of learning rate": Broken(
        "learning_rate: 1e-3",
        "learning_rate: {kind: cosin, initial: 1e-3}",
        "not_a_choice",
        "10:49",
        "compile.optimizer.learning_rate.kind must be constant, exponential, cosine, piecewise or plateau. Got "
        "'cosin'. Did you mean 'cosine'?",
    ),
    "unknown optimizer": Broken(
        "name: adam",
        "name: adamm",
        "unknown_name",
        "10:21",
        "compile.optimizer names no optimizer of Keras: 'adamm'. Did you mean 'adam'?",
    ),
    "unknown argument of an optimizer": Broken(
        "name: adam,",
        "name: adam, clipnrm: 1.0,",
        "unknown_argument",
        "10:27",
        "compile.optimizer: adam has no argument 'clipnrm'. Did you mean 'clipnorm'?",
    ),
    "unknown loss": Broken(
        "loss: sparse_categorical_crossentropy",
        "loss: sparse_crossentropy",
        "unknown_name",
        "11:9",
        "compile.loss names no loss of Keras: 'sparse_crossentropy'. Did you mean 'binary_crossentropy'?",
    ),
    "metric twice": Broken(
        "metrics: [accuracy]",
        "metrics: [accuracy, accuracy]",
        "duplicate_name",
        "12:23",
        "compile.metrics names the metric 'accuracy' twice: their values could not be distinguished.",
    ),
    "text for a list": Broken(
        "metrics: [accuracy]",
        "metrics: accuracy",
        "wrong_type",
        "12:12",
        "compile.metrics must be a list. Got 'accuracy' (write [accuracy]).",
    ),
    "pattern that is no regular expression": Broken(
        "      epochs: 10\n",
        "      epochs: 10\n      layers: [{match: '(conv', skip: true}]\n",
        "invalid_value",
        "17:24",
        "prune.layers.0.match must be a regular expression. Got '(conv' (missing ), unterminated subpattern at "
        "position 0).",
    ),
    "rule that says two things": Broken(
        "      epochs: 10\n",
        "      epochs: 10\n      layers: [{match: conv, skip: true, block_size: [1, 4]}]\n",
        "invalid_value",
        "17:16",
        "prune.layers.0 says skip: true and also how to prune; remove one of the two.",
    ),
    "list that is too short": Broken(
        "      epochs: 10\n",
        "      epochs: 10\n      block_size: [4]\n",
        "wrong_length",
        "17:19",
        "prune.block_size must be a list with more entries. Got [4].",
    ),
    "keys that exclude each other": Broken(
        "      epochs: 10\n",
        "      epochs: 10\n      block_size: [1, 4]\n      sparsity_m_by_n: [2, 4]\n",
        "conflicting_keys",
        "18:24",
        "prune.sparsity_m_by_n cannot be combined with block_size: choose one pattern of zeros.",
    ),
    "metric that is not measured": Broken(
        "qat: {epochs: 5}",
        "qat: {epochs: 5, early_stopping: {monitor: val_acc}}",
        "unknown_metric",
        "18:48",
        "qat.early_stopping.monitor watches 'val_acc', which is not measured. Did you mean 'val_accuracy'?",
    ),
    "warm-up longer than its stage": Broken(
        "qat: {epochs: 5}",
        "qat: {epochs: 5, learning_rate: {kind: cosine, initial: 1e-3, warmup: 5 epochs}}",
        "outside_stage",
        "18:75",
        "qat.learning_rate.warmup is 5 epochs, but the stage has 5 epochs: the rate would never come down.",
    ),
    "unknown stage": Broken(
        "- qat: {epochs: 5}",
        "- quat: {epochs: 5}",
        "unknown_stage",
        "18:5",
        "there is no stage 'quat'. Did you mean 'qat'?",
    ),
    "stage that is no mapping": Broken(
        "- qat: {epochs: 5}",
        "- qat",
        "wrong_type",
        "18:5",
        "stage 3 must be one kind with its keys, such as {train: {epochs: 10}}. Got 'qat'.",
    ),
    "two kinds in one entry": Broken(
        "- qat: {epochs: 5}",
        "- qat: {epochs: 5}\n    train: {epochs: 5}",
        "wrong_type",
        "18:5",
        "stage 3 must be one kind with its keys, such as {train: {epochs: 10}}. Got a mapping with the keys qat, "
        "train.",
    ),
    "two stages of one name": Broken(
        "qat: {epochs: 5}",
        "qat: {epochs: 5, name: prune}",
        "duplicate_name",
        "18:28",
        "two stages are named 'prune'. Give one of them another name.",
    ),
    "name that is no path": Broken(
        "qat: {epochs: 5}",
        "qat: {epochs: 5, name: a.b}",
        "invalid_name",
        "18:28",
        "a stage cannot be named 'a.b': its name becomes a path. Use letters, digits, '-' and '_', and not digits "
        "alone.",
    ),
    "training after pruning": Broken(
        "- qat: {epochs: 5}",
        "- train: {epochs: 5}",
        "sparsity_lost",
        "18:5",
        "train_2 would destroy what prune did: fine-tuning moves the zeros away from zero (measured: sparsity 0.50 -> "
        "0.12); put train_2 before the pruning, or give prune more epochs: it fine-tunes while the zeros stay.",
    ),
    "unknown export": Broken(
        "  keras: {}", "  kears: {}", "unknown_export", "20:3", "there is no export 'kears'. Did you mean 'keras'?"
    ),
    "unknown quantization": Broken(
        "quantize: int8, io: int8",
        "quantize: int-8",
        "not_a_choice",
        "23:22",
        "export.tflite.int8.quantize must be none, float16, dynamic, int8, int16x8, weight_only_int8, int4, "
        "int4_block32, int4_block64, int4_block128 or int2. Got 'int-8'. Did you mean 'int8'?",
    ),
    "types that do not fit": Broken(
        "quantize: int8, io: int8",
        "quantize: float16, io: int8",
        "conflicting_keys",
        "23:35",
        "export.tflite.int8: io: int8 needs quantize: int8 (got quantize: float16).",
    ),
    "variant that is no file name": Broken(
        "    float32: {}",
        "    float 32: {}",
        "invalid_name",
        "22:5",
        "export.tflite: variant 'float 32' becomes a file name: use letters, digits, '-' and '_'.",
    ),
    "two files of one name": Broken(
        "    float32: {}",
        "    keras: {}",
        "duplicate_name",
        "22:5",
        "export.tflite writes 'keras', and so does export.keras: their metrics would be mixed up. Rename one of "
        "the two.",
    ),
    "budget of an unknown export": Broken(
        "int8.bytes",
        "int9.bytes",
        "unknown_export",
        "25:3",
        "budgets.int9.bytes is about 'int9', which is not an export of this recipe. Did you mean 'int8'?",
    ),
    "budget of an unknown measure": Broken(
        "int8.bytes",
        "int8.byte",
        "unknown_name",
        "25:3",
        "budgets.int8.byte names no measure: 'byte'. Did you mean 'bytes'?",
    ),
    "budget without measure": Broken(
        "int8.bytes",
        "bytes",
        "invalid_key",
        "25:3",
        "budgets has the key 'bytes'; a budget names a file and a measure, such as int8.bytes.",
    ),
    "budget with a wrong unit": Broken(
        "60 kB",
        "60 km",
        "invalid_quantity",
        "25:15",
        "budgets.int8.bytes must be a size such as 60 kB, 1.5 MB or 64 KiB. Got 60 km.",
    ),
    "unknown dataset": Broken(
        "source: digits",
        "source: digit",
        "unknown_source",
        "4:11",
        "data.source: there is no dataset 'digit'. Did you mean 'digits'? A path begins with './', code of your own is "
        "written package.module:function.",
    ),
    "missing data": Broken(
        "source: digits",
        "source: ./digits.npz",
        "file_not_found",
        "4:11",
        "data.source is a path, but there is nothing at FOLDER/digits.npz. A relative path starts at the folder of its "
        "recipe.",
    ),
    "unknown argument of a model": Broken(
        "filters: [16",
        "fliters: [16",
        "unknown_argument",
        "8:10",
        "model.args: small_cnn has no argument 'fliters'. Did you mean 'filters'?",
    ),
    "unknown application of Keras": Broken(
        "source: small_cnn",
        "source: keras.applications.MobilNetV2",
        "unknown_source",
        "7:11",
        "model.source: keras.applications has no 'MobilNetV2'. Did you mean 'MobileNetV2'?",
    ),
    "duplicate key": Broken(
        "seed: 7", "seed: 7\nseed: 8", "invalid_yaml", "3:1", "the key 'seed' is here twice: first at 2:1. Remove one."
    ),
    "tab": Broken(
        "  batch_size: 64",
        "\tbatch_size: 64",
        "invalid_yaml",
        "5:1",
        "a tab indents this line. YAML is indented with spaces.",
    ),
    "open bracket": Broken(
        "metrics: [accuracy]",
        "metrics: [accuracy",
        "invalid_yaml",
        "13:7",
        "this is not YAML: expected ',' or ']', but got ':' (while parsing a flow sequence that begins at 12:12).",
    ),
    "colon in a text": Broken(
        "seed: 7",
        "description: small: fast",
        "invalid_yaml",
        "2:19",
        "this is not YAML: mapping values are not allowed here. Put a text that contains ': ' in quotes.",
    ),
    "tag": Broken("seed: 7", "seed: !!python/tuple [1]", "invalid_yaml", "2:7", "a recipe has no tags."),
    "unknown anchor": Broken(
        "seed: 7", "seed: *seven", "invalid_yaml", "2:7", "this is not YAML: found undefined alias 'seven'."
    ),
}


@pytest.fixture(scope="module")
def known() -> Catalog:
    return catalog()


def test_the_good_recipe_is_good(tmp_path: Path, known: Catalog) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(GOOD)
    assert load_recipe(path, known).name == "digits"


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_mistake_has_one_message_at_its_place(broken: Broken, tmp_path: Path, known: Catalog) -> None:
    assert GOOD.count(broken.good) >= 1
    path = tmp_path / "recipe.yaml"
    path.write_text(GOOD.replace(broken.good, broken.bad, 1))
    with pytest.raises(RecipeError, match=r"recipe\.yaml") as caught:
        load_recipe(path, known)
    assert [problem.code for problem in caught.value.problems] == [broken.code], str(caught.value)
    expected = f"{path}:{broken.place}: {broken.message}".replace("FOLDER", str(tmp_path))
    assert str(caught.value).startswith(expected)
    assert caught.value.problems[0].where is not None
    assert caught.value.problems[0].where.text == path.read_text().splitlines()[caught.value.problems[0].where.line - 1]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path, known: Catalog) -> None:
    path = tmp_path / "recipe.yaml"
    text = GOOD
    for good, bad in (
        ("int8.bytes: 60 kB", "int8.bytes: 60 km"),
        ("final: 80%", "final: 120%"),
        ("epochs: 15", "epochs: 0"),
        ("source: digits", "source: digit"),
        ("name: digits", "nam: digits"),
    ):
        text = text.replace(good, bad)
    path.write_text(text)
    with pytest.raises(RecipeError, match="nam") as caught:
        load_recipe(path, known)
    places = [(problem.where.line, problem.where.column) for problem in caught.value.problems if problem.where]
    assert places == [(1, 1), (4, 11), (14, 21), (17, 57), (25, 15)]
    codes = ["unknown_key", "unknown_source", "out_of_range", "invalid_value", "invalid_quantity"]
    assert [problem.code for problem in caught.value.problems] == codes
    assert caught.value.exit_code == 3
