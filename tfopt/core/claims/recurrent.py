"""What claims know of recurrent layers in files."""

from __future__ import annotations

RECURRENT = ("Bidirectional", "GRU", "LSTM", "RNN", "SimpleRNN")
"""Keras types."""
FUSED_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
"""The operator that computes all steps of an LSTM; the converter drops the names of its kernels."""
