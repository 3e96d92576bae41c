"""What a killed stage needs to resume, and weights that later stages ask for.

| file | question it answers |
|---|---|
| `state` | what is the state of a stage between two steps? |
| `checkpoint` | how is it stored, and is what is stored whole? |
| `random_state` | how do random layers draw the same numbers after a resume? |
| `snapshots` | which weights are kept for later stages? |
"""
