"""Stages and sweeps of tests that stand where those of a user or of the product would."""
