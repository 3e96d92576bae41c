"""Networks of tests: layers and models of many kinds, of tf_keras and of Keras 3."""
