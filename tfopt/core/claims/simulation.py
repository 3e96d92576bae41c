"""Whether a stage that simulates integers in training was worth it, in words. Pure."""

from __future__ import annotations

from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.core.records.report import ExportRecord


def simulation_sentence(record: ExportRecord, metric: str) -> str | None:
    """How well the simulated model predicts the file, and what the file would be without the stage.

    Args:
        record: of a file.
        metric: the recipe's first metric.

    Returns:
        None for a file that is not made from a simulated model.
    """
    simulation = record.simulation
    if simulation is None:
        return None
    within = record.measures.get("within_quantum")
    parts = []
    if within is not None and simulation.quantum is not None:
        parts.append(
            f"{within:.1%} of its output values are within one quantum ({simulation.quantum:.4g}) of the model that "
            f"{simulation.stage} trained"
        )
    for output, quantum in (simulation.quanta or {}).items():
        share = record.measures.get(f"{output}_within_quantum")
        if share is not None:
            parts.append(
                f"{share:.1%} of the values of its output {output} are within one quantum ({quantum:.4g}) of the model "
                f"that {simulation.stage} trained"
            )
    if simulation.plain:
        parts.append(
            f"{metric} {_value(metric, record.measures[metric])}, and {_value(metric, simulation.plain[metric])} for "
            f"plain int8 (the model before {simulation.stage}, quantized after training)"
        )
    elif simulation.plain_failed:
        parts.append(f"there is no plain int8 file to compare with: {simulation.plain_failed}")
    return f"{record.name}: {'; '.join(parts)}." if parts else None


def concern(record: ExportRecord, metric: str) -> str | None:
    """The warning where the stage made the file worse than plain quantization, with both figures; else None."""
    simulation = record.simulation
    if simulation is None or not simulation.worse_than_plain:
        return None
    with_stage, without = record.measures[metric], simulation.plain[metric]
    return (
        f"{record.name}: {simulation.stage} lost to plain int8: {metric} {_value(metric, with_stage)} after "
        f"{simulation.stage}, {_value(metric, without)} without it (the model before {simulation.stage}, quantized "
        f"after training). Leave {simulation.stage} out, or train it longer or at another learning rate."
    )


def _value(metric: str, value: float) -> str:
    """A share in percent, anything else as a number."""
    return f"{value:.2%}" if higher_is_better(metric) and 0 <= value <= 1 else f"{value:.4g}"
