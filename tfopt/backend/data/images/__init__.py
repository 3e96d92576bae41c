"""Images: read from a folder, scaled, changed at random.

| file | question it answers |
|---|---|
| `image_folder` | How is a folder of images with a sub-folder per class read, also while it is trained on? |
| `pixels` | How do pixels of 0..255 become inputs of a model? |
| `own_changes` | How are examples changed by a function of the user's own? |
| `augment` | How are images changed at random, independently of batch size and interruption? |
"""
