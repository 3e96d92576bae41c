"""Mistakes of stages, files, budgets and sources, and of the YAML itself."""

from __future__ import annotations

from tests.io.recipes.mistakes.case import Broken

NAMES = {
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
