"""Recipe files: YAML text to a recipe, with the location of every mistake, and back.

| file | question it answers |
|---|---|
| `recipe_file` | how is a recipe read from a file, with `--set`, and written? |
| `yaml` | how does YAML become plain values with line and column? |
| `extends` | how is a recipe merged with the one it extends? |
| `paths` | which values are paths, and relative to what? |
| `sources` | do the data and model sources of a recipe exist, and do they accept `args`? |
| `model_sources` | which other recipes, seeds and files do the stages need? |
| `axes` | what does `--axis PATH=VALUES` mean? |
| `listing` | what does `tfopt ls` list? |
| `starter`, `templates/` | what does `tfopt init` write? |
"""
