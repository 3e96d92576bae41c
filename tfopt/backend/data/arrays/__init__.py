"""Examples that need not be in memory: arrays with one row per example (`tfopt.backend.types.ExampleArray`).

| file | question it answers |
|---|---|
| `reading` | How is an array read in parts, or as a whole where that must be? |
| `views` | How are some rows of an array selected, or all of them changed, without reading them? |
| `stored` | How is an array written to a `.npy` file in parts, and read from it without a mapping? |
| `sparse` | How are arrays kept of which almost all values are 0? |
| `decoded` | How are rows decoded from files or records, several at the same time? |
| `paths` | How are the paths of many files kept? |
| `order` | In which order are the examples of an epoch read? |
| `tensors` | How do rows become tensors, batch by batch? |
"""
