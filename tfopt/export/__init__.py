"""One file per export target; the file's name is the recipe's key. Importable without TensorFlow."""
