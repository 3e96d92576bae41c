"""Metrics that tf_keras lacks, and targets that do not count.

| file | question it answers |
|---|---|
| `next_token` | How well does a model predict the next token: perplexity, bits per character? |
| `characters` | How many characters do the tokens of the data stand for? |
| `detection` | What is the mean average precision of a detector? |
| `overlap` | How far do predicted regions overlap with the true ones: mean IoU, Dice? |
| `class_counts` | How many hits, targets and predictions does each class have? |
| `f1` | What is the F1 score of predictions, for labels of any form? |
| `together` | What are the metrics of all outputs of a model together? |
| `counted` | Which targets count, where the loss ignores a class? |
| `weighted` | Which examples count, where they have weights? |
"""
