"""TensorFlow operators in a functional model, such as `x * 2` and `tf.concat`, replaced by Keras layers.

| file | operators |
|---|---|
| `operator_rewrite` | none: what the other files implement |
| `arithmetic` | `x + c`, `x * c`, `x + y`, `x * y`, ... |
| `activations` | `tf.nn.relu6`, `tf.sigmoid`, ... |
| `keras3_attention` | `keras.ops.einsum`, masks of scores, softmax with a mask, `keras.ops.dot_product_attention` |
| `concat`, `mean`, `reshape`, `transpose`, `pad`, `slicing` | the operators of these names |
"""
