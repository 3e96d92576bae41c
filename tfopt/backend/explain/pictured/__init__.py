"""Examples whose prediction is a picture itself: a class for each pixel, or boxes around objects.

| file | question it answers |
|---|---|
| `panels` | How do an image, its truth and two predictions become one picture? |
| `maps` | Which maps of a file differ most from those of its model? |
| `objects` | In which images does a file find other objects than its model? |
"""
