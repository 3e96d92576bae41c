"""Models: built from a recipe, loaded from files, made functional, kept in the store.

| file | question it answers |
|---|---|
| `build` | How does the `model` block of a recipe become a tf_keras model? |
| `of_data` | Which arguments of a model function are known from the data? |
| `outputs` | Which output is trained on which targets with which loss? |
| `compatibility` | Do model, data and loss belong together? |
| `vocabularies` | Has each table a row for every id of the data? |
| `padding` | Is there an example that is padding only, whose mean would be NaN? |
| `default_loss` | Which loss fits, where a recipe names none? |
| `last_activation` | What does a model end with? |
| `precision` | What is a model of mixed precision in float32? |
| `functionalize` | How do subclassed models and Lambda layers become graphs of layers and operations? |
| `store` | How is a model kept in a folder, with the code of its own classes? |
| `files` | How is a model file of others opened without running its code? |
| `hub` | How is a model of KerasHub built by its name? |
| `pretrained` | How do weights of Hugging Face's Transformers get into models of the zoo? |
| `zoo` | Which models come with tfopt? One file each |
"""
