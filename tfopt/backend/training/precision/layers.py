"""Which layers compute in 16 bits in mixed precision, and which stay in float32."""

from __future__ import annotations

import tf_keras

_L = tf_keras.layers

KERNELS: frozenset[type] = frozenset(
    {
        *(_L.Dense, _L.EinsumDense),
        *(_L.Conv1D, _L.Conv2D, _L.Conv3D, _L.Conv1DTranspose, _L.Conv2DTranspose, _L.Conv3DTranspose),
        *(_L.DepthwiseConv1D, _L.DepthwiseConv2D, _L.SeparableConv1D, _L.SeparableConv2D),
    }
)
"""Layers whose work is one convolution or matrix product, followed by a bias and an activation."""

RECURRENT: frozenset[type] = frozenset({_L.LSTM, _L.GRU, _L.SimpleRNN})
"""Layers that keep their weights in a cell."""

PASSING: frozenset[type] = frozenset(
    {
        *(_L.Activation, _L.ReLU, _L.LeakyReLU, _L.ELU, _L.PReLU),
        *(_L.Add, _L.Subtract, _L.Multiply, _L.Average, _L.Maximum, _L.Minimum, _L.Concatenate),
        *(_L.MaxPooling1D, _L.MaxPooling2D, _L.AveragePooling1D, _L.AveragePooling2D),
        *(_L.GlobalMaxPooling1D, _L.GlobalMaxPooling2D),
        *(_L.ZeroPadding1D, _L.ZeroPadding2D, _L.ZeroPadding3D),
        *(_L.Cropping1D, _L.Cropping2D, _L.Cropping3D),
        *(_L.Flatten, _L.Reshape, _L.Permute, _L.RepeatVector),
        *(_L.Dropout, _L.SpatialDropout1D, _L.SpatialDropout2D, _L.SpatialDropout3D),
        *(_L.BatchNormalization, _L.LayerNormalization, _L.Embedding),
    }
)
"""Layers that hand 16 bits on; statistics and parameters of normalization are float32 inside of them, by Keras."""

ATTENTION: frozenset[type] = frozenset({_L.MultiHeadAttention})
"""Layers whose inner layers compute as one."""

AROUND: frozenset[type] = frozenset({_L.Bidirectional, _L.TimeDistributed})
"""Keras' layers around others."""
