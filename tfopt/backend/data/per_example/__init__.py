"""What a source says about each example besides inputs and targets.

| file | question it answers |
|---|---|
| `weights` | How much does each example count in the loss, for each output? |
| `keys` | What does each example belong to, so that splits keep it together, and by which hash? |
"""
