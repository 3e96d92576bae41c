"""Tests of tfopt.backend.quantizer."""
