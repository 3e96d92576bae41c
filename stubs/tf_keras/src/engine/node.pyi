from typing import Any

import tensorflow as tf
from tf_keras.layers import Layer

class Node:
    layer: Layer
    is_input: bool
    call_args: tuple[Any, ...]
    call_kwargs: dict[str, Any]
    outputs: Any  # tensors in the structure that the layer returned
    keras_inputs: list[tf.Tensor]
    parent_nodes: list[Node]
