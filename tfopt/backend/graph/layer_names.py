"""From the names that the converter gives to tensors back to Keras layers.

The converter joins the names of fused operations with `;` and each is a path of name scopes, e.g.
`model/act/Relu;model/bn/FusedBatchNormV3;model/quant_stem/Conv2D`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
        names: Keras names of the layers of the float model, without those of nested models themselves. A name may
            contain `/`.
        aliases: name of a layer by the name of a layer that computes it in quantization-aware training.
        lstms: of the layers that a fused LSTM computes, in their order; see `fused_lstms`.
    """

    def __init__(
        self, names: Iterable[str], aliases: Mapping[str, str] | None = None, lstms: Iterable[str] = ()
    ) -> None:
        self.lstms = tuple(lstms)
        known = {**(aliases or {}), **{name: name for name in names}}
        paths = {tuple(name.split("/")): layer for name, layer in known.items()}
        self._paths = sorted(paths.items(), key=lambda item: len(item[0]), reverse=True)

    def of(self, tensor: str) -> str | None:
        """The layer of a tensor: the one with a kernel where several were fused.

        Returns:
            The layer's name, or None where no path segment is one.
        """
        first = next((layer for layer, _ in self.mentioned(tensor)), None)
        return self.of_kernel(tensor) or first

    def of_kernel(self, tensor: str) -> str | None:
        """The layer whose convolution, product or table look-up a name speaks of, if it does of any.

        A kernel that batch normalization was folded into may be named after the normalization alone; then the operator
        that reads it names the layer.
        """
        for layer, operation in self.mentioned(tensor):
            if any(kernel in operation for kernel in _KERNEL_OPERATIONS):
                return layer
        return None

    def mentioned(self, tensor: str) -> Iterator[tuple[str, str]]:
        """Layer and operation below it, for every fused part that belongs to a layer."""
        for part in tensor.split(";"):
            raw = tuple(part.split("/"))
            segments = tuple(segment.removeprefix("quant_") for segment in raw)
            found = self._in_path(segments, raw)
            if found is not None:
                yield found

    def _in_path(self, segments: tuple[str, ...], raw: tuple[str, ...]) -> tuple[str, str] | None:
        # The first segment is the model itself. The outermost layer wins: attention has a part named `query`, which is
        # not a layer of the model even where a different layer has that name.
        for start in range(1, len(segments)) if len(segments) > 1 else (0,):
            for wanted, name in self._paths:
                end = start + len(wanted)
                if wanted in (segments[start:end], raw[start:end]):
                    return name, "/".join(segments[end:])
        return None
