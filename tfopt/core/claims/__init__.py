"""What a recipe promises about files and models, compared with what was measured. Pure.

| file | question it answers |
|---|---|
| `tflite` | does a `.tflite` file contain what its variant promises? |
| `zero_units` | are heads and blocks that became zero also zero in the file? |
| `agreement` | does a file give the outputs of its model? |
| `kernels` | does a file run on all kernels, with the same outputs, and if not, at which operator do they part? |
| `simulation` | was a stage that simulates integers worth it? |
| `accepted` | which broken claims does the recipe accept? |
| `failures` | what is left of an export that failed? |
| `decline` | was the model ruined although nothing says so? |
| `acceptance` | are budgets met, and are sparsity and clusters kept? |
"""
