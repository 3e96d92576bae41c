"""Models that stages hand on, and models from outside the recipe.

| file | question it answers |
|---|---|
| `stage_artifacts` | how is the result of a stage stored and loaded? |
| `external_models` | how is a model file, or the result of a different recipe, loaded, and does it fit? |
"""
