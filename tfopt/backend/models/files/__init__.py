"""Opens model files written by others, of Keras 2 and Keras 3, without running their code.

| file | question it answers |
|---|---|
| `contents` | which library wrote this file, and what is its configuration? Read as data |
| `trust` | would loading it run code, and whose? |
| `saved_model_graph` | which signatures, operations and Keras description does a SavedModel have? Read as data |
| `graph_model` | how does a SavedModel without Keras layers become a model that can be converted and measured? |
| `old_formats` | what are the names of earlier versions of Keras 2 today? |
| `loading` | how is the model built, and how are its weights assigned to its layers? |

Nothing is built before `trust` has looked at the whole configuration, because tf_keras runs the bytecode of a Lambda
layer in an `.h5` while loading it, and imports any module that a `.keras` file names (both measured, tf_keras 2.21).
"""

from tfopt.backend.models.files.loading import Loaded, is_model_file, load_file

__all__ = ["Loaded", "is_model_file", "load_file"]
