from typing import Any

import keras
from typing_extensions import Self

class Operation:
    name: str
    output: Any
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def call(self, *args: Any, **kwargs: Any) -> Any: ...
    def get_config(self) -> dict[str, Any]: ...
    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self: ...
    def __getattr__(self, name: str) -> Any: ...  # an operation's own attributes: Layer is the base of many classes
    def __setattr__(self, name: str, value: Any) -> None: ...

class Layer(Operation):
    trainable: bool
    built: bool
    losses: list[Any]
    weights: list[keras.Variable]
    variables: list[keras.Variable]
    trainable_variables: list[keras.Variable]
    non_trainable_variables: list[keras.Variable]
    def count_params(self) -> int: ...
    def build(self, *args: Any, **kwargs: Any) -> None: ...

def __getattr__(name: str) -> Any: ...
