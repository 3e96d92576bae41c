"""A folder that an app team can take: `.tflite` files with metadata, golden examples, code, manifest, model card.

| file | question it answers |
|---|---|
| `bundle` | how is a bundle made of the files of other exports, and what happens to files that failed? |
| `contents` | what goes in for one file, and what proves it? |
| `metadata/` | how does a file say what its inputs and outputs mean? |
| `ports` | which inputs and outputs has a file, in which order, type and quantization? |
| `golden` | which bytes go in and come out, and how far may another device be off? |
| `snippets`, `templates/` | which code runs a file on its golden examples in Python, C++, Kotlin and Swift? |
| `labels` | where do names of classes come from, and do they fit the outputs? |
| `manifest` | which files belong to a bundle, with which checksums and figures? |
| `model_card` | what does a reader need to know about the model? |
| `preflight` | what is known before training? |
| `verify` | is a bundle on disk still what was written, and do its files still run? |
"""
