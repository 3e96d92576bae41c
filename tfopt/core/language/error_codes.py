"""Every error code: what it means and how to fix it. docs/errors.md is written from this table.

A code names the kind of mistake, not its location: `unknown_key` is one code for all blocks. Choose an existing one
before adding a row. `tests/core/language/test_error_codes.py` walks the source: each place that raises a `TfoptError`,
or makes a `Problem` or a `Mistake`, names a code of this table, and each code is used.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """One row of docs/errors.md.

    Args:
        meaning: what is wrong.
        fix: what to do about it.
    """

    meaning: str
    fix: str


CODES = {
    # The text of a recipe, key by key.
    "invalid_recipe": ErrorCode("The recipe has mistakes; each has a code of its own.", "See `problems`."),
    "recipe_not_found": ErrorCode("There is no recipe file at the path.", "Check the path; `tfopt init` writes one."),
    "recipe_unreadable": ErrorCode("The recipe file cannot be read as UTF-8 text.", "Check permissions and encoding."),
    "invalid_yaml": ErrorCode("The text is not YAML, or not the subset that recipes use.", "Correct the marked line."),
    "empty_recipe": ErrorCode("The recipe has nothing to do.", "Write stages or exports; `tfopt init` writes some."),
    "unknown_key": ErrorCode("A block has no such key.", "Correct the spelling; `tfopt schema` lists the keys."),
    "missing_key": ErrorCode("A key that the block needs is not there.", "Add it."),
    "wrong_type": ErrorCode("A value is not of the type of its key.", "Write a value of the type in the message."),
    "out_of_range": ErrorCode("A number is too small or too large.", "Write a number within the bounds."),
    "wrong_length": ErrorCode("A list, mapping or string has too few or too many entries.", "Change their number."),
    "not_a_choice": ErrorCode("A value is not one of those that the key allows.", "Choose one that the message lists."),
    "invalid_key": ErrorCode("The key of a mapping is not of the form it must have.", "Rename the key."),
    "invalid_value": ErrorCode("A value breaks the rule that the message states.", "Follow the message."),
    "invalid_quantity": ErrorCode("A value cannot be read as a quantity with its unit.", "Write it as in the message."),
    "conflicting_keys": ErrorCode("Two keys exclude each other.", "Keep one of them."),
    "meaningless_key": ErrorCode("A key has no effect together with the others.", "Remove it."),
    "duplicate_name": ErrorCode("Two things have one name.", "Rename one of them."),
    "invalid_name": ErrorCode("A name cannot be used as part of a path.", "Use letters, digits, '-' and '_'."),
    "weights_sum": ErrorCode("Weights that must sum to 1 do not.", "Scale them as in the message."),
    "invalid_override": ErrorCode("A path of `--set` or of a sweep leads nowhere.", "Correct the path."),
    "circular_reference": ErrorCode("Recipes refer to each other in a circle.", "Remove one of the references."),
    # Names that a recipe uses.
    "unknown_stage": ErrorCode("There is no such kind of stage.", "`tfopt ls stages` lists them."),
    "unknown_export": ErrorCode("There is no such kind of export.", "`tfopt ls exports` lists them."),
    "unknown_source": ErrorCode(
        "There is no such model or data set.", "`tfopt ls models` and `tfopt ls datasets` list them."
    ),
    "unknown_name": ErrorCode(
        "There is no such optimizer, loss, metric, criterion or measure.", "Choose one of the listed names."
    ),
    "unknown_argument": ErrorCode("A function, model, data set or Keras object has no such argument.", "Rename it."),
    "missing_argument": ErrorCode("An argument without a default is not given.", "Add it to `args`."),
    "unknown_metric": ErrorCode("A metric is used that is not measured.", "Add it to `compile.metrics`."),
    "unknown_output": ErrorCode("The model, or `compile.loss`, has no output of this name.", "Correct the name."),
    "unknown_layer": ErrorCode(
        "The model has no such layer, or none that matches.", "Use a name of the listed layers."
    ),
    "file_not_found": ErrorCode("There is nothing at a path.", "Relative paths begin at the folder of the recipe."),
    "unknown_file_type": ErrorCode("A file is of a type that cannot be used here.", "Use one of the listed types."),
    # The order and length of stages.
    "unknown_stage_name": ErrorCode("No stage of the recipe has this name.", "Use one of the listed names."),
    "sparsity_lost": ErrorCode("A stage would destroy the zeros of a pruned model.", "Prune after it."),
    "clusters_lost": ErrorCode("A stage would destroy the shared values of a clustered model.", "Cluster after it."),
    "stage_order": ErrorCode("A stage cannot follow the one before it.", "Change the order of the stages."),
    "no_earlier_stage": ErrorCode("A stage refers to one that does not come before it.", "Name an earlier stage."),
    "nothing_trained": ErrorCode("A stage needs a trained model, but no stage comes before.", "Train first."),
    "outside_stage": ErrorCode("A point in time is outside its stage.", "Make the stage longer, or move the point."),
    "wrong_order": ErrorCode("Points in time are not in order.", "Sort them."),
    "epoch_not_kept": ErrorCode("The weights of an epoch are needed that is not kept.", "Add it to `keep`."),
    "no_gradient": ErrorCode("A stage cannot train through the model before it.", "Follow the message."),
    # What a model, loss and data allow.
    "no_layer_left": ErrorCode(
        "A technique finds no layer that it can change.", "Leave the stage out, or relax rules."
    ),
    "budget_unreachable": ErrorCode(
        "The smallest network that a shrink stage can make costs more than its budget.", "Raise it, or relax rules."
    ),
    "layer_not_prunable": ErrorCode("A layer cannot be pruned as asked.", "Change the rule."),
    "layer_not_clusterable": ErrorCode("A layer cannot be clustered as asked.", "Change the rule."),
    "no_layers": ErrorCode(
        "The model is a SavedModel of bare operations, and what was asked for needs its Keras layers.",
        "Convert it as it is, without stages, or save it as .keras where it was built.",
    ),
    "layer_not_convertible": ErrorCode("A layer cannot be converted to TFLite.", "Replace the layer."),
    "no_kernel": ErrorCode(
        "No kernel of LiteRT computes layers with such weights.", "Use one of the listed modes for these layers."
    ),
    "float_layers": ErrorCode(
        "Layers stay float in an int8 file, and the recipe forbids it.", "Allow or replace them."
    ),
    "incompatible_loss": ErrorCode("A setting does not go with the loss.", "Follow the message."),
    "incompatible_model": ErrorCode(
        "A model cannot be used for this.", "Use a different model; the message says which."
    ),
    "target_lacks": ErrorCode("The target of the recipe cannot run such a file.", "Follow the message."),
    "incompatible_shapes": ErrorCode("Shapes do not go together.", "Correct the model, the data or the layers named."),
    "no_validation_data": ErrorCode("The validation split is empty but needed.", "Set `data.splits.validation`."),
    # Commands and functions.
    "usage": ErrorCode("A command or function was called with arguments that it cannot use.", "Follow the message."),
    "file_exists": ErrorCode("A file would be overwritten.", "Choose a different name."),
    "run_not_found": ErrorCode("There is no such run or sweep.", "Check the name, and `--out`."),
    "nothing_to_compare": ErrorCode("There is no finished run or trial to compare.", "Run a recipe first."),
    "not_comparable": ErrorCode("Runs with different metrics cannot be compared.", "Compare runs of one metric."),
    "unknown_column": ErrorCode("The comparison has no such column.", "Choose one of the listed columns."),
    "nothing_to_vary": ErrorCode("A sweep has neither axes nor several seeds.", "Give `--axis` or `--seeds`."),
    "locked": ErrorCode("A different process is working on this.", "Wait until it is done."),
    "unknown_executor": ErrorCode("There is no such executor.", "Choose one of the listed ones."),
    "empty_prompt": ErrorCode("There is nothing to continue.", "Give a prompt of at least one character."),
    "prompt_too_long": ErrorCode("A prompt does not fit into the context of the file.", "Shorten it."),
    "unknown_token": ErrorCode("A text or a list of ids has what is not in the vocabulary.", "Follow the message."),
    "wrong_tokenizer": ErrorCode(
        "A tokenizer has another number of tokens, or other tokens, than the model.", "Give that of the model."
    ),
    "not_generative": ErrorCode(
        "A file has not the signatures that generating text needs.", "Export it with `export.generate`."
    ),
    # The environment.
    "missing_package": ErrorCode("An optional package is not installed.", "Install it as in the message."),
    "phone_not_ready": ErrorCode("No phone, or more than one, answers adb.", "Follow the message."),
    "phone_tool": ErrorCode(
        "Google's benchmark_model is not named, or cannot be copied to the phone or run there.", "Name one that can."
    ),
    "phone_lost": ErrorCode("The phone was disconnected.", "Check the cable and repeat."),
    "broken_plugin": ErrorCode("A plugin cannot be loaded, or its names collide.", "Repair or remove the package."),
    "download_failed": ErrorCode("A file cannot be downloaded.", "Check the network, or put the file in the cache."),
    "checksum_mismatch": ErrorCode("A downloaded file is not the published one.", "Delete it and download it again."),
    # Several devices.
    "no_devices": ErrorCode(
        "There are no devices as `distribute` asks for, or it is too late to set them up.", "Follow the message."
    ),
    "wrong_tf_config": ErrorCode("TF_CONFIG is not what TensorFlow reads.", "Correct it on every machine."),
    "worker_lost": ErrorCode(
        "A worker did not come, or is gone.", "Start the same command again on every machine: the run resumes."
    ),
    "no_shared_folder": ErrorCode("Workers do not see the same folder.", "Give `--out` a folder that all share."),
    # Data.
    "data_missing": ErrorCode("Data, or a part of them, do not exist or are empty.", "Check the path and the splits."),
    "out_of_memory": ErrorCode(
        "Examples that must be in memory do not fit into it.", "Use data.cache: disk or none, or fewer examples."
    ),
    "data_unreadable": ErrorCode("A data file cannot be read.", "Repair the file; the message names the line."),
    "invalid_data": ErrorCode("Values, labels or shapes of the data are wrong.", "Correct the data."),
    # Models and user code.
    "pretrained_mismatch": ErrorCode(
        "A folder with pretrained weights does not hold the tensors of its model.", "Use the files of one model."
    ),
    "user_code_failed": ErrorCode("A function of the recipe's `source`, or a plugin, failed.", "Correct the function."),
    "invalid_argument": ErrorCode("An argument in `args` has a value it cannot have.", "Follow the message."),
    "model_not_built": ErrorCode("The input shape of a model is unknown.", "Begin it with an Input, or call it once."),
    "keras_refused": ErrorCode("Keras refuses an optimizer, loss or metric with these arguments.", "Correct them."),
    "unusable_code": ErrorCode(
        "Code of your own is not what the recipe uses it for.", "Follow the message: it says what is expected."
    ),
    "invalid_model": ErrorCode("What was built or loaded is not a model that tfopt can use.", "Follow the message."),
    "model_unreadable": ErrorCode("A model file cannot be read.", "Save it again, or use a different format."),
    "unsafe_model": ErrorCode("A model file contains code.", "Set `model.allow_unsafe: true` if you trust its origin."),
    "foreign_bytecode": ErrorCode(
        "The bytecode of a Lambda layer in a model file was written by another version of Python.",
        "Save the model with a layer class in its place.",
    ),
    "bridge_failed": ErrorCode("A model cannot be converted between Keras 3 and tf_keras.", "Replace the layer."),
    "not_equivalent": ErrorCode("A model computes something else after a rewrite.", "This is a bug: report the model."),
    # Running.
    "internal_error": ErrorCode("A mistake in tfopt.", "Run again with `--debug`, and report it."),
    "stage_failed": ErrorCode("A stage failed.", "See the message and the traceback with `--debug`."),
    "loss_not_finite": ErrorCode("The loss became NaN or infinite.", "Lower the learning rate; check the data."),
    "precision_overflow": ErrorCode(
        "Values or gradients are too large for float16.", "Train in mixed_bfloat16 or float32; scale the inputs."
    ),
    "unmet_promise": ErrorCode("A stage did not reach what it promises.", "This is a bug: report the recipe."),
    "invalid_checkpoint": ErrorCode("Stored weights do not fit the model.", "Remove the store entry; run again."),
    "executor_failed": ErrorCode("An executor cannot be reached, or its process crashed.", "Follow the message."),
    # Files and the store.
    "export_failed": ErrorCode("An export failed; the other files are written.", "Follow the message."),
    "conversion_failed": ErrorCode("The converter refused the model.", "Follow the message."),
    "node_lost": ErrorCode(
        "A machine of the cluster was lost while it ran a trial.", "Start the same sweep again, or raise --retries."
    ),
    "process_crashed": ErrorCode("A child process crashed.", "Follow the message."),
    "process_failed": ErrorCode("A function failed in a child process.", "Follow the message."),
    "malformed_file": ErrorCode("A model file is damaged or not of the type its name says.", "Write it again."),
    "not_classes": ErrorCode(
        "A selection over classes, but the targets are no classes.", "Select at random, or by a function of your own."
    ),
    "too_few_examples": ErrorCode("Too few examples to calibrate with.", "Ask for more, or select more."),
    "no_chain": ErrorCode("The model has no layers between which channels could be scaled.", "Remove the key."),
    "test_split_used": ErrorCode(
        "A function of your own selects examples of the test split.", "Select from the training split that it gets."
    ),
    "not_stepwise": ErrorCode(
        "A model cannot compute one position after the other with a state.", "Follow the message: it names the layer."
    ),
    "no_calibration_data": ErrorCode("An int8 file needs examples to calibrate.", "Give the recipe data."),
    "store": ErrorCode("The store or a run folder cannot be used.", "Follow the message."),
    "cannot_write": ErrorCode("A file or folder cannot be written.", "Check permissions and free space."),
    "cannot_read": ErrorCode("A file of the store or of a run cannot be read.", "Check permissions."),
    "invalid_record": ErrorCode("A stored file is not of this version's format.", "Run the recipe again."),
    "remote_store": ErrorCode("A remote store cannot be reached or used.", "Check the URL and the credentials."),
    "invalid_store_url": ErrorCode("The URL of a store cannot be used.", "Write it as in the message."),
}
