"""What tfopt shows: runs, comparisons, plans and files as text, HTML, figures and parts of a notebook.

Nothing here computes a result: every function accepts records (`tfopt.core.records`) and returns strings, frozen
dataclasses or something that rich prints. Writing files is left to the functions whose names begin with `write`.

| room | what it shows |
|---|---|
| `shared` | numbers as strings, colours, tables, page templates: used by every other room |
| `run` | one run: tables, sentences, curves, the page `report.html` |
| `live` | a run or a sweep while it runs |
| `plan` | what a run would do: stages, schedules, layers; the state of the environment |
| `files` | what a model file contains and costs, names that a recipe may use |
| `comparison` | several runs: table, sentences, figures, page, CSV |
| `notebook` | all of these as parts of a notebook |

Templates are in `templates/`; `*_part.html.j2` are parts of notebooks, the others parts of the two pages.
"""
