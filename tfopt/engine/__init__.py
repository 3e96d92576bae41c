"""Carries out recipes: plan, run, sweep. Stages and exports are known by their contracts only.

| file | question it answers |
|---|---|
| `plan`, `prepared` | what would a run do, and what is loaded for it? |
| `trial` | which operators would its `.tflite` files have? |
| `stage_plans` | what is known of each stage before training? |
| `external_models` | which other models does a stage need, what makes them, do they fit? |
| `keys` | what is the store key of a stage made of, and why is an entry missing? |
| `own_code` | are the losses, metrics, callbacks and selections of the user's own there, and do they fit? |
| `launch` | is a run reused, resumed or begun? |
| `on_cluster` | how is a run carried out on a node of a cluster? |
| `distribution` | on which devices is a stage trained, and what is wrong with them? |
| `follow` | what does a worker do that trains along with the leading one? |
| `preprocessing` | where is what must travel with a model, such as its tokenizer, written? |
| `run` | in which order is a plan carried out, and what happens on errors? |
| `history` | which epochs and details did a stage report? |
| `exports` | what is an export target given, what if one fails, and what was the model before it was quantized? |
| `records` | what is measured after a stage, and what is in the report? |
| `files` | what do bench, inspect and doctor find out about files and models outside of a run? |
| `sweep` | which trials run next, and which are stopped? |
"""
