"""Distillation in any training stage; see `tfopt.core.distillation` for the recipe's side."""

from tfopt.backend.distillation.lesson import Lesson
from tfopt.backend.distillation.looking_ahead import look_ahead

__all__ = ["Lesson", "look_ahead"]
