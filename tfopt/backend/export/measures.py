"""The measures of an exported file: the recipe's metrics on the full test split, and how much they dropped."""

from __future__ import annotations

from collections.abc import Mapping

from tfopt.backend.data.splits import Split
from tfopt.backend.training.anomalies import anomaly_measures, to_be_reproduced
from tfopt.backend.training.measure import measure
from tfopt.backend.types import Array
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.errors import ExportError


def file_measures(
    outputs: Mapping[str, Array], test: Split, compile: Compile, dense: Mapping[str, float]
) -> dict[str, float]:
    """Metrics of a file's outputs.

    Args:
        outputs: of the test split, by output name.
        test: the test split.
        compile: whose metrics count.
        dense: measures of the first stage that trains on the same split.

    Returns:
        `loss`, every metric (of several outputs: of each), `anomaly_auc` where anomalies are known, and
        `<metric>_drop`: how much worse than dense, positive where it is worse.

    Raises:
        ExportError: the file has several outputs, but the recipe's loss is that of one.
    """
    if compile.outputs:
        return _with_drops(measure(dict(outputs), test.targets, compile, test.weights), compile, dense)
    if len(outputs) != 1 or isinstance(test.targets, dict):
        raise ExportError(
            f"compile.loss is that of one output, but the file has {len(outputs)}: {', '.join(outputs)}.",
            "Write the loss of each output by its name.",
            code="incompatible_model",
        )
    (predictions,) = outputs.values()
    judged, targets, weights = to_be_reproduced(predictions, test.targets, test)
    values = {**measure(judged, targets, compile, weights), **anomaly_measures(predictions, test)}
    return _with_drops(values, compile, dense)


def _with_drops(values: Mapping[str, float], compile: Compile, dense: Mapping[str, float]) -> dict[str, float]:
    compared = [name for name in values if name in dense and name not in compile.losses]
    return {**values, **{f"{name}_drop": _drop(name, values[name], dense[name]) for name in compared}}


def _drop(name: str, value: float, dense: float) -> float:
    return dense - value if higher_is_better(name) else value - dense
