"""What a run leaves behind, as plain values.

| file | question it answers |
|---|---|
| `report` | what is in `report.json`? |
| `dense` | which stage of a run is the dense network? |
| `layer_sizes` | how many bytes does each layer of a file take? |
| `what_it_is` | what do the weights of a file say that its name does not? |
| `phone` | what was measured on a phone? |
| `explanation` | what does it say about where the accuracy of a file went? |
| `text` | what does it say about texts? |
| `generation` | what does `tfopt.generate` return? |
| `shrunk` | what did a shrink stage promise about its network? |
| `shrink_groups` | what can a shrink stage remove from a model? |
| `cache` | where were the examples of a run, and which were left out? |
| `zero_units` | which heads and blocks did a prune stage make zero? |
| `record` | what is a record? |
| `run` | what does `tfopt.run` return? |
| `layer_support` | what can be done with each layer of a model? |
| `fingerprint` | what is part of a store key, and why does a key differ from an earlier one? |
"""
