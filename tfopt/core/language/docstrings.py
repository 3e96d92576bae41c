"""The docstrings below the keys of blocks and records, read when a schema, a page or a message needs them.

Pydantic's `use_attribute_docstrings` reads the source of every class when it is created: a quarter of the time of
`tfopt validate`.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from tfopt.core.language.python_source import syntax_tree

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import GenerateJsonSchema


@cache
def key_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """What each key of a model means: its `Field(description=...)`, or the string below its annotation.

    Args:
        model: a block or record. Where its source cannot be read (a notebook cell), only descriptions are known.
    """
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        own = _class_docstrings(cls.__module__).get(cls.__qualname__, {})
        found |= {key: text for key, text in own.items() if key in model.model_fields}
    written = {key: field.description for key, field in model.model_fields.items() if field.description}
    return {**found, **written}


def documented_json_schema() -> type[GenerateJsonSchema]:
    """Pydantic's generator of JSON Schema, which adds the docstrings of keys.

    Pass it as `schema_generator`. Pydantic's module is imported here, because only `tfopt schema` needs it.
    """
    from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
    from pydantic_core import core_schema

    class Documented(GenerateJsonSchema):
        def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
            """The schema of one model, with a description of each key."""
            written = super().model_schema(schema)
            properties: dict[str, dict[str, object]] = written.get("properties", {})
            model: type[BaseModel] = schema["cls"]
            for key, text in key_docstrings(model).items():
                name = model.model_fields[key].alias or key
                if name in properties:
                    properties[name].setdefault("description", text)
            return written

    return Documented


@cache
def _class_docstrings(module: str) -> Mapping[str, dict[str, str]]:
    """Docstrings by key, by qualified name of each class of a module."""
    if module in ("builtins", "abc", "typing") or module.partition(".")[0] == "pydantic":
        return {}
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    return {name: _below_annotations(node) for name, node in _classes(syntax_tree(source), "")}


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """Every class below a node, with its qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from _classes(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _classes(child, f"{prefix}{child.name}.<locals>.")
        else:
            yield from _classes(child, prefix)


def _below_annotations(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for item, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[item.target.id] = inspect.cleandoc(below.value.value)
    return found
