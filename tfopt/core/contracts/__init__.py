"""The contracts of stages and exports: the methods a plugin implements, and the objects it receives.

| file | question it answers |
|---|---|
| `stage` | what must a stage declare and do, and what does it receive? |
| `result` | what does a stage return? |
| `export` | what must an export target do, and what does it receive? |
| `trial` | what does the converter make of a model before it is trained? |
| `preflight` | what can be reported before training, and from what? |
| `resources` | what does a trial ask of a cluster? |
| `events` | what is reported while a run runs, under which keys? |
| `rewinding` | do the stage and the epoch of a `rewind:` block exist? |
| `types` | what are a model and the data, where TensorFlow may not be imported? |
"""
