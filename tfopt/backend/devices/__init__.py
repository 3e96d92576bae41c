"""Training on several devices and machines, by `tf.distribute`: batches are divided, weights are the same everywhere.

What a step computes over its batch (loss, gradients, batch normalization, ranges) is computed over the whole batch, not
over the part of one replica, so that the number of devices changes results by rounding only. Random numbers of layers
(dropout) differ by replica.

| file | question it answers |
|---|---|
| `found` | Which devices are there, and what is wrong with what a recipe asks for? |
| `cluster` | Which machines does TF_CONFIG list, and what is wrong with it? |
| `strategies` | Which strategy does a recipe train with, and when is it made? |
| `replicas` | Which part of a batch has this replica, and what have all together? |
| `steps` | How does a training step run on every replica? |
| `normalization` | How does batch normalization use the statistics of the whole batch? |
| `predictions` | What does a model return inside a strategy? |
| `variables` | How are variables of several replicas read and set? |
| `workers` | How do several processes decide the same? |
"""
