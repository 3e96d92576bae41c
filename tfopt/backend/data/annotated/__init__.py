"""Images with annotations: a class for each pixel, or boxes around objects.

| file | question it answers |
|---|---|
| `mask_folder` | How are folders of images and masks read? |
| `mask_values` | Which class does a pixel of a mask mean: by its number, or by its colour? |
| `box_files`, `box_lists` | How are lists of boxes read: COCO's .json, and .csv? |
| `detection` | How do boxes become the targets of a detector? |
"""
