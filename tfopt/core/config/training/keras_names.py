"""Optimizers, losses and metrics of Keras by name, with their arguments, so that a recipe is checked without Keras.

`tests/backend/training/test_compile.py` compares these tables with the installed tf_keras.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KerasName:
    """Properties of a Keras name.

    Args:
        class_name: the class in tf_keras.
        arguments: its constructor arguments, without those that tfopt sets itself.
        higher_is_better: for metrics.
        classification: for losses and metrics, whether the model's output is a choice among classes.
        own: of tfopt (`tfopt.backend.training`, rooms `metrics` and `losses`), because tf_keras has no such class.
        like: for own losses, the loss of Keras that takes the same targets and outputs.
    """

    class_name: str
    arguments: tuple[str, ...] = ()
    higher_is_better: bool = False
    classification: bool = False
    own: bool = False
    like: str = ""


_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
_AVERAGING = ("use_ema", "ema_momentum", "ema_overwrite_frequency")
_SHARED = ("weight_decay", *_CLIPPING, *_AVERAGING)


def _optimizer(class_name: str, *arguments: str) -> KerasName:
    return KerasName(class_name, ("learning_rate", *arguments, *_SHARED))


OPTIMIZERS = {
    "adadelta": _optimizer("Adadelta", "rho", "epsilon"),
    "adagrad": _optimizer("Adagrad", "initial_accumulator_value", "epsilon"),
    "adam": _optimizer("Adam", "beta_1", "beta_2", "epsilon", "amsgrad"),
    "adamw": _optimizer("AdamW", "beta_1", "beta_2", "epsilon", "amsgrad"),
    "adamax": _optimizer("Adamax", "beta_1", "beta_2", "epsilon"),
    "lion": _optimizer("Lion", "beta_1", "beta_2"),
    "nadam": _optimizer("Nadam", "beta_1", "beta_2", "epsilon"),
    "rmsprop": _optimizer("RMSprop", "rho", "momentum", "epsilon", "centered"),
    "sgd": _optimizer("SGD", "momentum", "nesterov"),
}


def _class_loss(class_name: str, *arguments: str) -> KerasName:
    return KerasName(class_name, arguments, classification=True)


def _own_loss(class_name: str, like: str, *arguments: str) -> KerasName:
    return KerasName(class_name, arguments, classification=True, own=True, like=like)


LOSSES = {
    "binary_crossentropy": _class_loss("BinaryCrossentropy", "from_logits", "label_smoothing"),
    "binary_focal_crossentropy": _class_loss(
        "BinaryFocalCrossentropy", "apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing"
    ),
    "categorical_crossentropy": _class_loss("CategoricalCrossentropy", "from_logits", "label_smoothing"),
    "categorical_focal_crossentropy": _class_loss(
        "CategoricalFocalCrossentropy", "alpha", "gamma", "from_logits", "label_smoothing"
    ),
    "categorical_hinge": _class_loss("CategoricalHinge"),
    "hinge": _class_loss("Hinge"),
    "sparse_categorical_crossentropy": _class_loss("SparseCategoricalCrossentropy", "from_logits", "ignore_class"),
    "squared_hinge": _class_loss("SquaredHinge"),
    "cosine_similarity": KerasName("CosineSimilarity", ("axis",)),
    "huber": KerasName("Huber", ("delta",)),
    "kl_divergence": KerasName("KLDivergence", classification=True),
    "log_cosh": KerasName("LogCosh"),
    "mae": KerasName("MeanAbsoluteError"),
    "mape": KerasName("MeanAbsolutePercentageError"),
    "mean_absolute_error": KerasName("MeanAbsoluteError"),
    "mean_squared_error": KerasName("MeanSquaredError"),
    "mse": KerasName("MeanSquaredError"),
    "msle": KerasName("MeanSquaredLogarithmicError"),
    "poisson": KerasName("Poisson"),
    "sparse_categorical_focal_crossentropy": _own_loss(
        "SparseCategoricalFocalCrossentropy", "sparse_categorical_crossentropy", "gamma", "from_logits", "ignore_class"
    ),
    "sparse_categorical_dice_crossentropy": _own_loss(
        "SparseCategoricalDiceCrossentropy",
        "sparse_categorical_crossentropy",
        "dice_weight",
        "from_logits",
        "ignore_class",
    ),
    "box_huber": KerasName("BoxHuber", ("delta",), own=True, like="huber"),
    "hard_negative_crossentropy": _own_loss(
        "HardNegativeCrossentropy", "sparse_categorical_crossentropy", "negatives", "from_logits"
    ),
    "binary_dice_crossentropy": _own_loss(
        "BinaryDiceCrossentropy", "binary_crossentropy", "dice_weight", "from_logits"
    ),
}


def _score(class_name: str, *arguments: str) -> KerasName:
    return KerasName(class_name, arguments, higher_is_better=True, classification=True)


METRICS = {
    # `accuracy` is the accuracy that fits loss and output, chosen as Keras' own compile does.
    "accuracy": KerasName("", higher_is_better=True, classification=True),
    "f1": KerasName("F1", ("average",), higher_is_better=True, classification=True, own=True),
    "mean_iou": KerasName("MeanIoU", ("background",), higher_is_better=True, classification=True, own=True),
    "dice": KerasName("Dice", ("background",), higher_is_better=True, classification=True, own=True),
    "mean_average_precision": KerasName(
        "", ("iou", "least_score", "nms_iou", "most", "anchors"), higher_is_better=True, classification=True, own=True
    ),
    "perplexity": KerasName("Perplexity", classification=True, own=True),
    "bits_per_character": KerasName("BitsPerCharacter", ("tokens_per_character",), classification=True, own=True),
    "auc": _score("AUC", "num_thresholds", "curve", "summation_method", "multi_label", "num_labels", "from_logits"),
    "binary_accuracy": _score("BinaryAccuracy", "threshold"),
    "categorical_accuracy": _score("CategoricalAccuracy"),
    "f1_score": _score("F1Score", "average", "threshold"),
    "precision": _score("Precision", "thresholds", "top_k", "class_id"),
    "recall": _score("Recall", "thresholds", "top_k", "class_id"),
    "sparse_categorical_accuracy": _score("SparseCategoricalAccuracy"),
    "sparse_top_k_categorical_accuracy": _score("SparseTopKCategoricalAccuracy", "k"),
    "top_k_categorical_accuracy": _score("TopKCategoricalAccuracy", "k"),
    "r2_score": KerasName("R2Score", ("class_aggregation", "num_regressors"), higher_is_better=True),
    "cosine_similarity": KerasName("CosineSimilarity", ("axis",), higher_is_better=True),
    "mae": KerasName("MeanAbsoluteError"),
    "mape": KerasName("MeanAbsolutePercentageError"),
    "mean_absolute_error": KerasName("MeanAbsoluteError"),
    "mean_squared_error": KerasName("MeanSquaredError"),
    "mse": KerasName("MeanSquaredError"),
    "msle": KerasName("MeanSquaredLogarithmicError"),
    "root_mean_squared_error": KerasName("RootMeanSquaredError"),
}


OF_MODEL: tuple[str, ...] = ("mean_average_precision",)
"""Metrics of all outputs of a model together: they receive targets and predictions by output name."""

OF_TOKENS = ("perplexity", "bits_per_character")
"""Metrics of how probable a model finds the right token."""

APPLICATIONS = tuple(
    """
    ConvNeXtBase ConvNeXtLarge ConvNeXtSmall ConvNeXtTiny ConvNeXtXLarge DenseNet121 DenseNet169 DenseNet201
    EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 EfficientNetB6
    EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2L
    EfficientNetV2M EfficientNetV2S InceptionResNetV2 InceptionV3 MobileNet MobileNetV2 MobileNetV3Large
    MobileNetV3Small NASNetLarge NASNetMobile RegNetX002 RegNetX004 RegNetX006 RegNetX008 RegNetX016 RegNetX032
    RegNetX040 RegNetX064 RegNetX080 RegNetX120 RegNetX160 RegNetX320 RegNetY002 RegNetY004 RegNetY006
    RegNetY008 RegNetY016 RegNetY032 RegNetY040 RegNetY064 RegNetY080 RegNetY120 RegNetY160 RegNetY320 ResNet101
    ResNet101V2 ResNet152 ResNet152V2 ResNet50 ResNet50V2 ResNetRS101 ResNetRS152 ResNetRS200 ResNetRS270
    ResNetRS350 ResNetRS420 ResNetRS50 VGG16 VGG19 Xception
    """.split()
)
"""Names that may follow `keras.applications.`."""

KERAS_HUB = "keras_hub.models."
"""How sources begin that are classes of KerasHub; which there are, only its import tells."""


_GOOD = (
    "acc agreement auc correlation dice f1 hit iou jaccard kappa map precision psnr r2 rate recall right score "
    "similarity snr ssim".split()
)
"""Words in the names of metrics of which more is better."""


def higher_is_better(metric: str) -> bool:
    """Whether more of a metric is better: for accuracies, not for losses and errors.

    Of a metric of the user's own its name tells, as in Keras' callbacks: `f1`, `hit_rate` and `dice_score` should be
    high, a name without such a word should be low.

    Args:
        metric: name of a metric or loss; `val_` before it makes no difference, nor does the number of a repeated one
            (`auc#2`).
    """
    name = metric.removeprefix("val_").split("#")[0]
    if name == "loss" or name in LOSSES.keys() - METRICS.keys():
        return False
    # Of one of several outputs, the output's name comes first: `digit_accuracy`.
    known = [one for one in METRICS if name == one or name.endswith(f"_{one}")]
    if known:
        return METRICS[max(known, key=len)].higher_is_better
    return not name.endswith("_loss") and any(word in name.lower() for word in _GOOD)
