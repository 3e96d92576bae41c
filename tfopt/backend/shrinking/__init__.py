"""Smaller networks: units that are removed from a model to a budget, so that its tensors shrink.

| file | question it answers |
|---|---|
| `graph/` | What of a model can be removed, and what is the model without it? |
| `choices` | Which groups may a stage narrow, to which widths, and why not the others? |
| `overview` | What of it does `tfopt doctor` show? |
| `scores` | How important is each unit, by a criterion? |
| `costs` | What does a network of any widths cost, without building it? |
| `latency` | How many milliseconds do its layers take here? The table, measured with LiteRT |
| `networks` | In which unit is a budget counted, and which networks are timed for that? |
| `allocate` | How is a budget shared out among groups? |
| `sensitivity` | How much does the loss rise when one group is narrowed? |
| `measurements` | What was measured before, and need not be again? |
| `decide` | Which units stay, and is the network within its budget? |
| `details` | What is reported of it? |
| `reconstruction` | Which weights give a narrowed layer its old outputs? |
| `recovery` | Are solved weights and new statistics better than what there was? |
| `scheduled` | How are units removed while a network trains? |
"""
