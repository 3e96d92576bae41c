"""Recipes, plans, runs, sweeps, comparisons and audits in a notebook.

| file | question it answers |
|---|---|
| `parts` | which HTML does each of them become? |

`tfopt.notebook` registers these parts with IPython.
"""
