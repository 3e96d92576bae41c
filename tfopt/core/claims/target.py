"""What is said of a file for the target of its recipe: warnings before training, claims about the file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tfopt.core.claims.agreement import broken_claim
from tfopt.core.config.quantization_modes import MODES
from tfopt.core.records.report import AuditRecord, ClaimRecord
from tfopt.core.targets.table import Missing, Target

_NAMED = 4


def target_warnings(
    name: str, quantize: str, operators: Mapping[str, int], layers: Mapping[str, Sequence[str]], target: Target
) -> Iterator[str]:
    """What a file of the untrained model shows: layers whose operators the runtime or an accelerator does not have.

    Args:
        name: of the file.
        quantize: its TFLite mode.
        operators: all that are in it.
        layers: those of each Keras layer.
        target: where it will run.
    """
    if target.missing is not None:
        lacking = lacking_layers(layers, operators, target.missing)
        if lacking:
            claim = "its claim to run there holds only if it runs there all the same"
            yield f"{name}: {target.runtime} has no {lacking}: {claim}."
    integers = MODES[quantize].integer_only
    for accelerator, missing in target.accelerators.items():
        if accelerator in target.float_only and integers:
            yield f"{name}: {accelerator} takes float operators only: this file runs on the CPU."
            continue
        lacking = lacking_layers(layers, operators, missing)
        if lacking:
            yield f"{name}: {accelerator} does not take {lacking}: that part runs on the CPU."


def lacking_layers(layers: Mapping[str, Sequence[str]], operators: Mapping[str, int], missing: Missing) -> str:
    """Operators that are missing, each with the layers that need it; empty where there are none.

    Args:
        layers: operators by Keras layer.
        operators: all of the file.
        missing: those of some operators that a runtime does not have.
    """
    parts = []
    for name in missing(operators):
        users = [layer for layer, own in layers.items() if name in own and layer]
        more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
        parts.append(f"{name} ({', '.join(users[:_NAMED])}{more})" if users else name)
    return ", ".join(parts)


def target_claims(
    audit: AuditRecord, layers: Mapping[str, Sequence[str]], target: Target, *, ran: bool = False
) -> list[ClaimRecord]:
    """What must hold of a file so that its target can run it.

    Args:
        audit: what the file contains.
        layers: its operators by Keras layer.
        target: where it will run.
        ran: whether the runtime of the target has run it: then it has its operators, whatever a list says.
    """
    return [_operators(audit, layers, target, ran=ran), *_types(audit, target)]


def _operators(audit: AuditRecord, layers: Mapping[str, Sequence[str]], target: Target, *, ran: bool) -> ClaimRecord:
    missing: Missing = target.missing or _not_of_litert
    if target.missing is None:
        sentence = "every operator is one of LiteRT's own"
        found = "none of TensorFlow's, and none of a custom library"
    else:
        sentence = f"{target.runtime} has every operator"
        found = "it ran them" if ran else "all are in its published list; conditions on sizes are not checked"
    lacking = "" if ran else lacking_layers(layers, audit.operators, missing)
    if lacking:
        return broken_claim(sentence, f"it has no {lacking}", code="target_operators")
    return ClaimRecord(claim=sentence, held=True, found=found, code="target_operators")


def _not_of_litert(operators: Iterable[str]) -> tuple[str, ...]:
    """Operators that are not LiteRT's own: of TensorFlow (Flex) or custom ones. Builtin names are in capitals."""
    return tuple(dict.fromkeys(name for name in operators if name != name.upper()))


def _types(audit: AuditRecord, target: Target) -> Iterator[ClaimRecord]:
    """Fixed shapes where the target needs them; integers where it has nothing else."""
    if not target.fixed_shapes:
        return
    ports = (*audit.inputs, *audit.outputs)
    wrong = [f"{port.name} has an open shape" for port in ports if port.shape is None or -1 in port.shape]
    found = "shapes are fixed"
    if target.refuses(MODES["none"]):
        wrong += [f"{name} computes in float" for name in audit.float_operators]
        converted = [port.name for port in ports if port.dtype == "float32"]
        found += f"; {', '.join(converted)} in float are converted by the processor" if converted else ", all integers"
    sentence = f"types and shapes are those of {target.runtime}"
    yield (
        broken_claim(sentence, "; ".join(wrong), code="target_types")
        if wrong
        else ClaimRecord(claim=sentence, held=True, found=found, code="target_types")
    )
