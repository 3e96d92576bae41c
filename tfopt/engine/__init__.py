"""Carries out recipes: plan, run, sweep. Stages and exports are known by their contracts only.

| file | question it answers |
|---|---|
| `plan`, `prepared` | what would a run do, and what is loaded for it? |
| `trial` | which operators would its `.tflite` files have? |
| `stage_plans` | what is known of each stage before training? |
| `external_models` | which other models does a stage need, what makes them, do they fit? |
| `keys` | what is the store key of a stage made of, and why is an entry missing? |
| `launch` | is a run reused, resumed or begun? |
| `run` | in which order is a plan carried out, and what happens on errors? |
| `history` | which epochs and details did a stage report? |
| `records` | what is measured after a stage, and what is in the report? |
| `sweep` | which trials run next, and which are stopped? |
"""
