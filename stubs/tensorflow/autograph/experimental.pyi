from collections.abc import Callable
from typing import Any, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])

def do_not_convert(func: _F) -> _F: ...
def __getattr__(name: str) -> Any: ...
