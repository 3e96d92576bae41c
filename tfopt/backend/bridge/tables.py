"""How Keras 3 and tf_keras name the same things: plain data, read by both directions of the bridge.

Measured with keras 3.15 and tf_keras 2.21. A key that one side does not have may be dropped while it has its
default; these tables hold what a signature does not tell.
"""

from __future__ import annotations

from types import MappingProxyType

RENAMED_KEYS = MappingProxyType({"LeakyReLU": {"negative_slope": "alpha"}})
"""Layer -> key of Keras 3 -> key of tf_keras."""

RENAMED_WEIGHTS = MappingProxyType(
    {
        "DepthwiseConv1D": {"kernel": "depthwise_kernel"},
        "DepthwiseConv2D": {"kernel": "depthwise_kernel"},
    }
)
"""Layer -> attribute of a variable in Keras 3 -> in tf_keras; all others have the same name on both sides."""

DROPPED_KEYS = MappingProxyType(
    {
        "autocast": True,
        "flash_attention": None,
        "lora_alpha": None,
        "lora_rank": None,
        "oov_method": "floormod",
        "quantization_config": None,
        "rms_scaling": False,
        "zero_output_for_mask": False,
    }
)
"""Keys of Keras 3 only that no signature tells the default of, with the value at which they change nothing."""

IGNORED_KEYS = frozenset({"use_cudnn", "flash_attention", "gptq_unpacked_column_size", "vocabulary_size"})
"""Keys of Keras 3 only that choose a kernel or repeat a different key, and do not change what is computed."""

UNDOCUMENTED_KEYS = MappingProxyType(
    {kind: frozenset({"zero_output_for_mask"}) for kind in ("GRU", "LSTM", "RNN", "SimpleRNN")}
)
"""Layer -> keys that tf_keras takes out of its `**kwargs`."""

ADDED_KEYS = MappingProxyType(
    {
        "MultiHeadAttention": MappingProxyType({"softmax_robust_masking": True}),
        "Softmax": MappingProxyType({"robust_masking": True}),
    }
)
"""Layer -> keys of tf_keras only, with the value at which it computes what Keras 3 does.

Without them tf_keras adds -1e9 to masked scores where Keras 3 sets them to it: in a row of padding, where every score
is masked, attention would follow the scores instead of being even.
"""

NEVER_NATIVE = MappingProxyType(
    {
        "Lambda": "its code is bytecode",
        "RandomContrast": "tf_keras draws and clips otherwise",
        "RandomCrop": "tf_keras resizes where Keras 3 crops the middle at inference",
        "SpectralNormalization": "tf_keras normalizes at a different moment",
    }
)
"""Layers that both sides have under one name, but that compute different things: they are wrapped."""

SAME_ACTIVATIONS = frozenset(
    "elu exponential gelu linear log_softmax mish relu relu6 selu sigmoid silu softmax softplus softsign swish "
    "tanh".split()
)
"""Activations that compute the same on both sides under the same name; the others are in `activations.py`."""

RENAMED_ACTIVATIONS = MappingProxyType({"silu": "swish"})
"""Keras 3 -> tf_keras: tfmot and older files know only `swish`."""

SET_AFTERWARDS = frozenset({"vocabulary", "idf_weights"})
"""Keys that hold what was learned from data: carried over through the public methods, not the configuration."""
