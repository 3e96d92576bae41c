"""What the command line and notebooks call: load, validate, plan, run, show, inspect, bench, generate, doctor.

Everything here is also a name of the package itself: `import tfopt; tfopt.run("recipe.yaml")`.

| file | question it answers |
|---|---|
| `recipes` | how is a recipe read, checked and begun, and what can it name? |
| `runs` | how is a recipe carried out, and what became of it? |
| `files` | what is in a file, how fast is it, and what can be done with a model? |
| `generation` | how does a generative file continue a text? |
| `common` | where do runs go by default? |
"""

from __future__ import annotations

from tfopt.api.common import DEFAULT_OUT as DEFAULT_OUT
from tfopt.api.files import bench, bench_on_phone, doctor, explore, inspect, verify
from tfopt.api.generation import generate
from tfopt.api.recipes import Kind, init, list_names, load, schema, validate
from tfopt.api.runs import compare, gc, plan, run, show, sweep

__all__ = [
    "DEFAULT_OUT",
    "Kind",
    "bench",
    "bench_on_phone",
    "compare",
    "doctor",
    "explore",
    "gc",
    "generate",
    "init",
    "inspect",
    "list_names",
    "load",
    "plan",
    "run",
    "schema",
    "show",
    "sweep",
    "validate",
    "verify",
]
