"""Of tfmot's clustering: its tables of clusterable layers, and the classes behind `cluster_weights`."""

from tensorflow_model_optimization.python.core.clustering.keras.cluster_config import CentroidInitialization
from tensorflow_model_optimization.python.core.clustering.keras.cluster_wrapper import ClusterWeights
from tensorflow_model_optimization.python.core.clustering.keras.clusterable_layer import ClusterableLayer
from tensorflow_model_optimization.python.core.clustering.keras.clustering_algorithm import ClusteringAlgorithm
from tensorflow_model_optimization.python.core.clustering.keras.clustering_centroids import CentroidsInitializerFactory
from tensorflow_model_optimization.python.core.clustering.keras.clustering_registry import ClusteringRegistry

__all__ = [
    "CentroidInitialization",
    "CentroidsInitializerFactory",
    "ClusterWeights",
    "ClusterableLayer",
    "ClusteringAlgorithm",
    "ClusteringRegistry",
]
