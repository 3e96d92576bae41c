"""The keys of a `.tflite` file.

| file | question it answers |
|---|---|
| `tflite_variant` | which keys does a file have? |
| `calibration` | which examples is a file calibrated with, and how do its ranges follow from them? |
| `algorithms` | how are weights rounded, and where does each way apply? |
| `weight_kernels` | which operators read which weights? Measured |
| `sparse_encoding` | which sparse files do all kernels compute right? Measured |
| `file_rules` | which layers does a rule of a file treat in a different way? |
| `detections` | how does a detector's file suppress doubles? |
| `bundle_keys` | which keys does a bundle have? |
| `normalization` | how does a recipe say what became of raw values? |
| `for_target` | what does a target choose for a file, and what can it not run? |
| `claim_codes`, `accepted_claims` | what is claimed of files, and which broken claims does a recipe accept? |
"""
