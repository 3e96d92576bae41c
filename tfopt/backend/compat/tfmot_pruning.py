"""Of tfmot's pruning: its tables of prunable layers, and the classes behind `prune_low_magnitude`."""

from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl, pruning_utils
from tensorflow_model_optimization.python.core.sparsity.keras.prunable_layer import PrunableLayer
from tensorflow_model_optimization.python.core.sparsity.keras.prune_registry import PruneRegistry
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_schedule import PruningSchedule
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper import PruneLowMagnitude

__all__ = ["PrunableLayer", "PruneLowMagnitude", "PruneRegistry", "PruningSchedule", "pruning_impl", "pruning_utils"]
