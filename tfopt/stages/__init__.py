"""One file per technique; the file's name is the recipe's key. Importable without TensorFlow."""
