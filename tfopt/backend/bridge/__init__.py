"""Keras 3 models as tf_keras models and back: the same layers under the same names, the same weights, the same outputs.

| file | question it answers |
|---|---|
| `model_conversion` | How does a Keras 3 model become a tf_keras model, and is it proved? |
| `conversion` | How does that go, call by call? |
| `reading/` | What does a Keras 3 model consist of? |
| `layer_mapping` | Which tf_keras layer is a Keras 3 layer, or why is there none? |
| `operations` | Which tf_keras layer is exactly an operation of `keras.ops`? |
| `activations` | Which activations of Keras 3 are missing in tf_keras? |
| `layer_wrapper` | How does tf_keras run a layer that only Keras 3 has? |
| `custom_code` | Which classes and functions of a user is a configuration made of? |
| `call_mapping` | Which tf_keras layer is it at one of its calls? |
| `own_layer` | Which layers and operations is a layer of a user's own class made of? |
| `own_normalization` | Which of them is a layer or RMS normalization in all but name? |
| `opened_layer` | What is such a layer in tf_keras? |
| `refusals` | Which Keras 3 models can nothing here compute? |
| `zeroing` | What does Keras 3 compute in rows that are masked from end to end? |
| `mask_checks` | Where do masks go, and do both sides agree on it? |
| `tables` | Which keys, weights and activations have different names or defaults? |
| `weight_mapping` | Which variables of the two models belong together? |
| `equivalence` | Do the two models have the same outputs; if not, from which layer on? |
| `restore` | How do optimized weights return into the Keras 3 model that a run began with? |
| `back` | Which of the two ways back does a model take? |
| `to_keras3` | How does any tf_keras model become a Keras 3 model? |
"""

from tfopt.backend.bridge.back import back_to_keras3, without_way_back
from tfopt.backend.bridge.model_conversion import to_tf_keras
from tfopt.backend.bridge.reading.own_constructors import readable
from tfopt.backend.bridge.restore import custom_code, restore_keras3
from tfopt.backend.bridge.to_keras3 import to_keras
from tfopt.backend.bridge.weight_mapping import variable_pairs

__all__ = [
    "back_to_keras3",
    "custom_code",
    "readable",
    "restore_keras3",
    "to_keras",
    "to_tf_keras",
    "variable_pairs",
    "without_way_back",
]
