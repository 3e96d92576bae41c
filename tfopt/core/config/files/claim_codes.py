"""The stable code of each claim, as report.json carries it: the sentence of a claim may change, its code does not."""

from __future__ import annotations

from collections.abc import Mapping

CLAIM_CODES: Mapping[str, str] = {
    "converted": "The converter makes a `.tflite` file of the model.",
    "written": "The file is written, and the library of the model reads it back.",
    "measured": "Metrics and latency of the file can be measured.",
    "well_formed": "The file can be parsed.",
    "integer_only": "No operator and no weight is float, except for the layers that may be.",
    "weights_dtype": "Weights have the dtype of the TFLite mode.",
    "io_dtype": "Inputs and outputs have the dtype that the recipe asks for.",
    "sparsity_kept": "Each pruned layer is as sparse in the file as in the model.",
    "sparse_encoding": "Every kernel computes the sparsely encoded weights right.",
    "clusters_kept": "Each clustered layer has no more values in the file than in the model.",
    "faster_than_dense": "A sparse file is faster than the same file with its zeros stored.",
    "zero_units": "Heads and blocks that a prune stage made zero as a whole are zero in the file.",
    "smaller_tensors": "The weights have the smaller shapes that a shrink stage left.",
    "latency_of_dense": "As a float32 file, the network is as fast as its shrink stage was asked for.",
    "runs_on_kernels": "The file runs on XNNPACK and on the reference kernels, with the same outputs.",
    "same_outputs": "The file gives the outputs of the model it was made from.",
    "target_operators": "The target of the recipe has every operator of the file.",
    "target_types": "Inputs, outputs and operators have types and shapes that the target of the recipe can run.",
    "target_runs": "The file runs in the runtime of the target, with the outputs of LiteRT.",
    "opens_in_keras": "The library of the model loads the file.",
    "preprocessing_inside": "Raw examples through a SavedModel give the outputs that prepared inputs give.",
    "metadata_kept": "A file computes the same with metadata inside; the metadata can be read from it.",
    "golden_reproduced": "The Python code of a bundle gets the golden outputs from the golden inputs.",
    "checksums_match": "Every file of a bundle is as it was written.",
    "generation_signatures": "A file with state has the signatures, inputs and outputs that LiteRT-LM reads.",
    "state_is_exact": "A file with state computes the tokens that full recomputation with the same weights computes.",
    "runs_in_litert_lm": "LiteRT-LM generates the texts that the interpreter generates.",
    "same_detections": "A detector's file with suppression inside finds what its outputs hold.",
    "weights_as_trained": "The file holds the float weights; ranges learned by qat are metadata.",
}
"""What each claim says, by its code."""

_OF_BUNDLES = frozenset({"metadata_kept", "golden_reproduced", "checksums_match"})

UNACCEPTABLE = _OF_BUNDLES | {"converted", "written", "measured", "well_formed", "generation_signatures"}
"""Claims without which there is no file to ship, or nothing is known of it: a recipe cannot accept that they break."""
