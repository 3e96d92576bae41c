"""The keys about training: what is minimized and measured, by which optimizer, in which precision, on which devices.

| file | question it answers |
|---|---|
| `compile` | which optimizer, loss and metrics does a recipe have, of which output? |
| `keras_objects` | how is a loss, metric or optimizer named, and which arguments may it have? |
| `keras_names` | which losses, metrics and optimizers exist, and which is better when higher? |
| `outputs` | what does an output return: classes, labels, quantities; logits or probabilities? |
| `class_weights` | how much does each class count in the loss? |
| `learning_rate` | how does the learning rate change during a stage? |
| `callbacks` | which callbacks of the user's own run during a stage? |
| `precision` | in which precision does a stage compute? |
| `distribution` | on which devices and machines? |
"""
