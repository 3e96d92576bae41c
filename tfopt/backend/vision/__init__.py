"""Images with several objects in them: scenes, boxes, anchors, and how good detections are. NumPy alone.

| file | question it answers |
|---|---|
| `scenes` | Which generated images have which objects where? |
| `shapes` | Which objects are drawn where no data set gives them? |
| `textures` | What do their backgrounds look like? |
"""
