"""The table of accuracy against bytes, and where the files that tfopt recommends are not on its front.

| column | meaning |
|---|---|
| by | tfopt; `converter`: TensorFlow's, as its guides say; `quantizer`: a stock recipe of litert-quantizer |
| file | its mode; a recommended one is in bold type |
| beaten by | the most accurate file of the others that is no larger and more accurate |
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LARGER = 1.01
"""A file of tfopt may be so much larger and counts as one of the same size."""


@dataclass(frozen=True)
class Point:
    """One file.

    Args:
        by: who made it.
        name: its mode.
        bytes: its size.
        accuracy: on the test split.
    """

    by: str
    name: str
    bytes: int
    accuracy: float


@dataclass(frozen=True)
class File:
    """A file of every seed.

    Args:
        by: who made it.
        name: its mode.
        bytes: its mean size.
        accuracies: of each seed.
    """

    by: str
    name: str
    bytes: int
    accuracies: tuple[float, ...]

    @property
    def accuracy(self) -> float:
        """The mean; rounded, because float32 and float64 differ in the eighth digit."""
        return round(statistics.fmean(self.accuracies), 6)

    def __str__(self) -> str:
        return f"{self.by} {self.name}"


def files(seeds: Sequence[Sequence[Point]]) -> list[File]:
    """The files that every seed has, smallest first."""
    groups: dict[tuple[str, str], list[Point]] = {}
    for point in (point for points in seeds for point in points):
        groups.setdefault((point.by, point.name), []).append(point)
    whole = [
        File(*key, round(statistics.fmean(p.bytes for p in group)), tuple(p.accuracy for p in group))
        for key, group in groups.items()
        if len(group) == len(seeds)
    ]
    return sorted(whole, key=lambda file: (file.bytes, -file.accuracy))


def rows(found: Sequence[File], recommended: Sequence[str]) -> list[list[str]]:
    """The cells of the table."""
    from measurements import kilobytes

    made = []
    for file in found:
        others = [other for other in found if (other.by == "tfopt") != (file.by == "tfopt")]
        better = [other for other in others if other.bytes <= file.bytes and other.accuracy > file.accuracy]
        best = max(better, key=lambda other: (other.accuracy, -other.bytes), default=None)
        spread = f" ± {100 * statistics.stdev(file.accuracies):.1f}" if len(file.accuracies) > 1 else ""
        beaten = "" if best is None else f"{best} (+{100 * (best.accuracy - file.accuracy):.1f})"
        bold = "**" if file.by == "tfopt" and file.name in recommended else ""
        accuracy = f"{100 * file.accuracy:.1f}{spread}"
        made.append([file.by, f"{bold}`{file.name}`{bold}", kilobytes(file.bytes), accuracy, beaten])
    return made


def lost(found: Sequence[File], recommended: Sequence[str]) -> list[str]:
    """A phrase for each file of the others that no recommended file of tfopt matches in size and accuracy: the best
    that is as small, its difference with the spread over the seeds, and another file of tfopt that does match."""
    from measurements import kilobytes

    phrases = []
    for file in (file for file in found if file.by != "tfopt"):
        small = [own for own in found if own.by == "tfopt" and own.bytes <= LARGER * file.bytes]
        named = [own for own in small if own.name in recommended]
        best = max(named, key=lambda own: own.accuracy, default=None)
        if best is not None and best.accuracy >= file.accuracy:
            continue
        what = f"{file} ({kilobytes(file.bytes)}, {100 * file.accuracy:.1f} %)"
        why = "no recommended file is as small" if best is None else f"`{best.name}` {_difference(best, file)}"
        other = max(small, key=lambda own: own.accuracy, default=None)
        matched = f"; `{other.name}` of tfopt is" if other is not None and other.accuracy >= file.accuracy else ""
        phrases.append(f"{what}: {why}{matched}")
    return phrases


def _difference(one: File, other: File) -> str:
    """In points, with the standard deviation over the seeds: each seed has both files of one model."""
    each = [100 * (a - b) for a, b in zip(one.accuracies, other.accuracies, strict=True)]
    spread = f" ± {statistics.stdev(each):.1f}" if len(each) > 1 else ""
    return f"{statistics.fmean(each):+.1f}{spread} points"


def section(seeds: Mapping[int, Sequence[Point]], recommended: Sequence[str]) -> str:
    """The table of a task with what it says."""
    from measurements import table

    found = files([*seeds.values()])
    made = table(["by", "file", "size", "accuracy in %", "beaten by"], rows(found, recommended))
    which = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    phrases = lost(found, recommended)
    good = "For every file of the others a recommended one of tfopt is no larger (1 % at most) and no less accurate"
    listed = "".join(f"\n- {phrase}." for phrase in phrases)
    said = f"Where no recommended file is on the front ({which}):\n{listed}" if phrases else f"{good} ({which})."
    return f"{made}\n{said}\n"
