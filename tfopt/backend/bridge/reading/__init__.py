"""What a Keras 3 model consists of, before it becomes a tf_keras model.

| file | question it answers |
|---|---|
| `graph` | Which calls does a Keras 3 model consist of? |
| `functionalize` | How does a subclassed Keras 3 model become a graph? |
| `inlining` | Which nested models become calls of the model around them? |
| `inputs` | What are its inputs? |
| `arguments` | How are the arguments of a call written down as JSON? |
| `inherited` | Of which layer of Keras does a user's own class inherit all that it computes? |
| `caches` | Which attention keeps keys and values itself? |
| `own_constructors` | How is a layer made again whose constructor takes no name, or does not hand it on? |
| `float32` | What is a Keras 3 model of mixed precision in float32? |
"""
