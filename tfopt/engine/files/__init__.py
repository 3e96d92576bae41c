"""Files and models outside of a run: measured, compared, examined.

| file | question it answers |
|---|---|
| `bench` | which files are measured, and how do figures of a phone enter a report? |
| `inspection` | how is a file compared with a model on the data of a recipe? |
| `explorer` | what is written for Model Explorer? |
| `doctor` | what can be done with each layer of a model? |
"""
