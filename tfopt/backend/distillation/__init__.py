"""Distillation in any training stage; see `tfopt.core.config.distillation` for the recipe's side."""

from tfopt.backend.distillation.distiller import Distiller
from tfopt.backend.distillation.preflight import look_ahead

__all__ = ["Distiller", "look_ahead"]
