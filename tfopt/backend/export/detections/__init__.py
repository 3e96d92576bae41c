"""Files of detectors that end with detections instead of offsets and classes of anchors.

| file | question it answers |
|---|---|
| `suppression` | How is non-maximum suppression put behind the outputs of a file? |
| `written` | Does such a file find what the outputs of the first one hold? |
| `preflight` | What is wrong with asking for one, before training? |
"""
