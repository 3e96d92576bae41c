"""Images with several objects in them: scenes, boxes, anchors, and how good detections are. NumPy alone.

Boxes are left, top, right and bottom, in shares of the width and height of the image.

| file | question it answers |
|---|---|
| `boxes` | How large are boxes, and how much do they overlap? |
| `anchors` | Which boxes does a detector begin with? |
| `coding` | What are boxes relative to anchors, and back? |
| `matching` | Which anchor is to find which object: the targets of a detector? |
| `detections` | What did a detector find: decoded, without doubles (NMS)? |
| `average_precision` | How good are detections? |
| `scenes` | Which generated images have which objects where? |
| `shapes` | Which objects are drawn where no data set gives them? |
| `textures` | What do their backgrounds look like? |
"""
