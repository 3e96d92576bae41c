"""The command line: a thin layer over `tfopt.api`, one file per verb.

| file | question it answers |
|---|---|
| `entry` | how does the process start? |
| `main` | which verbs exist, and how do errors become exit codes? |
| `session` | what is printed where, as text or JSON? |
| `options` | which options do verbs share? |
| `cluster` | which options do `run` and `sweep` have about a cluster? |
| `errors` | how is an error printed, with its line and caret? |
| `documents` | how does a result become one JSON document? |
| `progress`, `sweep_progress` | what is shown while a run or sweep works? |

A verb's file has its name: `init`, `ls`, `validate`, `schema`, `plan`, `run`, `sweep`, `compare`, `show`, `inspect`,
`bench`, `doctor`, `gc`, `generate`.
"""
