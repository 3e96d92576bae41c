"""Models that compute one position after the other: language models with a cache, recurrent networks as streams.

| file | question it answers |
|---|---|
| `plan` | can a model compute position after position, and if not, which layer cannot? |
| `walk` | how are the calls of a model made one by one? |
| `parts` | which parts of a layer get a call with state? |
| `cached/` | how does each of them compute with a state? |
| `step` | what do they share during one call? |
| `forward` | what does a model return for some positions? |
"""
