"""Which phone it is, from its properties, and how hot it is."""

from __future__ import annotations

import re
from collections.abc import Callable

from tfopt.core.records.phone import PhoneFacts

_THERMAL = re.compile(r"Thermal Status:\s*(\d+)")


def read_facts(shell: Callable[[str], str]) -> PhoneFacts:
    """Model, Android, system on chip and instruction sets of a phone.

    Args:
        shell: runs a command on the phone and returns what it prints.
    """
    properties = dict(re.findall(r"^\[([^\]]+)\]: \[([^\]]*)\]", shell("getprop"), re.MULTILINE))

    def found(*names: str) -> str:
        return next((properties[name] for name in names if properties.get(name)), "")

    maker, model = found("ro.product.manufacturer"), found("ro.product.model")
    chip = found("ro.soc.model", "ro.board.platform", "ro.hardware")
    abis = found("ro.product.cpu.abilist", "ro.product.cpu.abi")
    return PhoneFacts(
        model=model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip(),
        android=found("ro.build.version.release"),
        soc=" ".join(part for part in (found("ro.soc.manufacturer"), chip) if part),
        abis=tuple(abi.strip() for abi in abis.split(",") if abi.strip()),
        thermal_before=read_thermal(shell),
    )


def read_thermal(shell: Callable[[str], str]) -> int | None:
    """Android's thermal status, 0 (none) to 6 (shutdown); None before Android 10, and where it may not be read."""
    found = _THERMAL.search(shell("dumpsys thermalservice"))
    return None if found is None else int(found[1])
