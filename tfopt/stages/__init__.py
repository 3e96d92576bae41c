"""One file per technique: its keys and rules. The file's name is the recipe's key.

Importable without TensorFlow: `preflight` and `apply` import the file of the same name in `tfopt/backend/stages/`.
The keys of a technique are declared in `tfopt/core/config/`, from which the stage inherits.
"""
