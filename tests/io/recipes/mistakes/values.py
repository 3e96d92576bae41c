"""Values of the wrong type or outside their range, and settings that do not fit."""

from __future__ import annotations

from tests.io.recipes.mistakes.case import Broken

VALUES = {
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
}
