"""Sweeps and comparisons: axes and seeds to trials, trials to one table with verdicts.

| file | question it answers |
|---|---|
| `expand` | which trials do a recipe, axes and seeds give? |
| `trial_order` | which trial may start, so that no stage is trained twice at the same time? |
| `median_rule` | which trial is stopped early? |
| `record` | what is in `sweep.json`? |
| `candidates` | which runs are compared, and what is each variant called? |
| `rows`, `comparison` | what does the table of `tfopt compare` contain? |
| `statistics` | is a difference more than the noise of the seeds? |
| `verdicts` | what can be said about the variants of one sparsity? |
"""
