"""Models that compute one position after the other: language models with a cache, recurrent networks as streams.

| file | question it answers |
|---|---|
| `plan` | can a model compute position after position, and if not, which layer cannot? |
| `walk` | how are the calls of a model made one by one? |
| `parts` | which parts of a layer get a call with state? |
| `cached/` | how does each of them compute with a state? |
| `step` | what do they share during one call? |
| `forward` | what does a model return for some positions? |
| `prepare` | which signatures, stop tokens and containers does a recipe mean, and what does not fit? |
| `preflight` | what of that is said before training? |
| `sample` | which texts is a model tried and proven on? |
| `names`, `signatures` | which signatures do the files have? Their SavedModel |
| `convert` | how do the files of all modes come of it? |
| `runner` | how does a loop call a file? |
| `prove` | is a file with state exact? |
| `metrics` | how good is it? |
| `litertlm`, `engine` | how is a `.litertlm` written, and run in LiteRT-LM? |
| `claims` | what is claimed of a file? |
| `files` | what do files of language models and of streams have in common? |
| `streaming/` | how does a recurrent model become a file that reads a stream? |
| `saved_model` | what is known of the SavedModel that is kept? |
| `export` | how does a model become files with records? |
"""
