from typing import Any

from keras import KerasTensor
from keras.layers import Operation

class SymbolicArguments:
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

class Node:
    operation: Operation
    arguments: SymbolicArguments
    outputs: list[KerasTensor]
