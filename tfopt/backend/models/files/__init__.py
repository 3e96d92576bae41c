"""Opens model files written by others, of Keras 2 and Keras 3, without running their code.

| file | question it answers |
|---|---|
| `contents` | which library wrote this file, and what does its configuration say? Read as data |
| `trust` | would loading it run code, and whose? |
| `old_formats` | how does today's Keras 2 call what earlier ones wrote? |
| `loading` | how is the model built, and how do its weights come to their layers? |

Nothing is built before `trust` has looked at the whole configuration, because tf_keras runs the bytecode of a Lambda
layer in an `.h5` while loading it, and imports any module that a `.keras` file names (both measured, tf_keras 2.21).
"""

from tfopt.backend.models.files.loading import Loaded, is_model_file, load_file

__all__ = ["Loaded", "is_model_file", "load_file"]
