"""The only package that imports TensorFlow, Keras, tfmot and LiteRT.

tfmot takes tf_keras models only, and `tf.keras` must mean tf_keras before TensorFlow is first imported.
"""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow would take all of a GPU's memory at once, and a second process on it would fail.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
