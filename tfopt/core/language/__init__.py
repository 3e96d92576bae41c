"""The recipe language: blocks, their values, and the words in which mistakes are reported.

| file | question it answers |
|---|---|
| `block` | what is the base class of everything that a recipe can contain? |
| `quantities` | how are `70%`, `3 epochs`, `60 kB`, `5 ms` read and written? |
| `axes` | which values does an axis of a sweep have, and how are its variants named? |
| `mistakes` | how does a block or stage report what is wrong with it? |
| `error_codes` | which error codes exist, and what does each mean? |
| `problems` | how does a pydantic error become a problem with path, message and code? |
| `wording`, `suggest` | how are received and expected values written, and misspelt names corrected? |
| `annotations` | which keys and blocks exist below a path? |
| `docstrings` | what does a key mean, and how does that get into a JSON Schema? |
| `plain` | how are plain values (dicts, lists, scalars) copied and looked up by path? |
"""
