"""From the names that the converter gives to tensors back to Keras layers.

The converter joins the names of fused operations with `;` and each is a path of name scopes, e.g.
`model/act/Relu;model/bn/FusedBatchNormV3;model/quant_stem/Conv2D`.
"""

from __future__ import annotations

from collections.abc import Iterable

_KERNEL_OPERATIONS = (
    "Conv",
    "conv",
    "depthwise",
    "MatMul",
    "Tensordot",
    "einsum",
    "embedding_lookup",
    "LastValueQuant",
)


class LayerNames:
    """Finds the Keras layer behind a tensor's name.

    Args:
        names: Keras names of the layers of the float model, without those of nested models themselves; a name may contain
            `/`.
    """

    def __init__(self, names: Iterable[str]) -> None:
        paths = {tuple(name.split("/")): name for name in names}
        self._paths = sorted(paths.items(), key=lambda item: len(item[0]), reverse=True)

    def of(self, tensor: str) -> str | None:
        """The layer of a tensor.

        Where several layers were fused, the one whose kernel it is wins: the sparsity that a tensor shows is that of
        the kernel, not of the batch normalization folded into it.

        Args:
            tensor: name of the tensor in the file.

        Returns:
            The layer's name, or None where no path segment is one.
        """
        found = [(part, layer) for part in tensor.split(";") if (layer := self._in_path(part)) is not None]
        for part, layer in found:
            if any(operation in part for operation in _KERNEL_OPERATIONS):
                return layer
        return found[0][1] if found else None

    def _in_path(self, path: str) -> str | None:
        segments = tuple(segment.removeprefix("quant_") for segment in path.split("/"))
        raw = tuple(path.split("/"))
        # The first segment is the model itself. The outermost layer wins: attention has a part named `query`, which is
        # no layer of the model even where another layer has that name.
        for start in range(1, len(segments)) if len(segments) > 1 else (0,):
            for wanted, name in self._paths:
                end = start + len(wanted)
                if wanted in (segments[start:end], raw[start:end]):
                    return name
        return None
