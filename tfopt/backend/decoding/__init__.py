"""Text from a generative file: the loop around its `prefill` and `decode` signatures; LiteRT only, no TensorFlow.

| file | question it answers |
|---|---|
| `located` | Which file does a path mean, and which tokenizer and stop tokens go with it? |
| `container` | What is inside a `.litertlm`? |
| `signatures` | What can a file be asked: buckets, context, vocabulary, state; and is it all there? |
| `model` | How are tokens fed to a file, and how does its state go back to an earlier token? |
| `sampling` | Which token comes next, given the logits? |
| `prompts` | Which tokens is a prompt, and can the file read them? |
| `text_stream` | Which text can be shown while tokens arrive? |
| `loops` | How do tokens follow each other: one at a time, or proposed by a draft and verified together? |
| `speed` | How fast are files, measured in turns, and how much memory do they take? |
| `generate` | Text, tokens and speed of one prompt |
"""
