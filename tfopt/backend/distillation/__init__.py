"""Distillation in any training stage; see `tfopt.core.config.distillation` for the recipe's side."""

from tfopt.backend.distillation.distiller import Lesson
from tfopt.backend.distillation.preflight import look_ahead

__all__ = ["Lesson", "look_ahead"]
