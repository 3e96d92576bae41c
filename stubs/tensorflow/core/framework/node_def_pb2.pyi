from collections.abc import Mapping, Sequence
from typing import Any

class NodeDef:
    name: str
    op: str
    input: Sequence[str]
    attr: Mapping[str, Any]
