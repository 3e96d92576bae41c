"""Every import of a private module of another library, in one place: the only files that a new version can break.

tests/backend/compat/test_names.py checks that each name exists; tests/test_import_rules.py that no other file of
tfopt imports a private module. Files import nothing of tfopt; each is imported by itself, as tfmot loads slowly.

| file | question it answers |
|---|---|
| `keras_graph` | Of which classes is the graph of a tf_keras model, and where is a layer called? |
| `keras_saving` | How does tf_keras read a layer or a weights file of any age? |
| `keras_random` | Which random generators does tf_keras keep state in? |
| `keras_losses` | Which losses does a layer collect while it is called? |
| `keras_3` | Which layers does a Keras 3 model contain, and which names does Keras 3 give them? |
| `keras_attention` | Where does Keras 3 mask the scores of attention? |
| `keras_hub` | Which layers of KerasHub cannot be written down, and what is their configuration? |
| `tensorflow_runtime` | Which operations does TensorFlow have, and how is a SavedModel fingerprinted? |
| `tensorflow_cluster` | How do several TensorFlow processes find each other, agree, and notice that one is gone? |
| `slice_update` | Which operation becomes DYNAMIC_UPDATE_SLICE of TFLite? |
| `tflite_quantizer` | How are an int8 conversion's calibration and quantization called one by one? |
| `tfmot_pruning` | Which weights does tfmot prune, and how does it mask them? |
| `tfmot_clustering` | Which weights does tfmot cluster, and with which centroids? |
| `tfmot_quantization` | How does tfmot wrap a layer for quantization-aware training? |
"""
