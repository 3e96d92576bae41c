"""Texts in the formats that `benchmark_model` prints; the figures are made up.

The formats are those of `tflite/tools/benchmark/benchmark_model.cc`, `benchmark_tflite_model.cc` and
`litert/tools/benchmark_litert_model.h` of github.com/google-ai-edge/LiteRT, with the lines of delegates around them.
"""

from __future__ import annotations

_TIMES = """\
INFO: The input model file size (MB): 0.020648
INFO: Initialized session in 2.5ms.
INFO: Running benchmark for at least 5 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=9 first=2100 curr=900 min=800 max=2100 avg=1000.5 std=70 p5=810 median=905 p95=2000

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=64 first=610 curr=600 min=550 max=900 avg=612.25 std=23 p5=560 median=600 p95=700

"""
_TFLITE_SUMMARY = """\
INFO: Inference timings in us: Init: 2500, First inference: 2100, Warmup (avg): 1000.5, Inference (avg): 612.25
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual \
memory footprint of the model at runtime. Take the information at your discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=1.5 overall=3.25
"""
_LITERT_SUMMARY = """\
INFO: [./litert/tools/benchmark_litert_model.h:92]
========== BENCHMARK RESULTS ==========
INFO: [./litert/tools/benchmark_litert_model.h:94] Model initialization: 2.50 ms
INFO: [./litert/tools/benchmark_litert_model.h:96] Warmup (first):       2.10 ms
INFO: [./litert/tools/benchmark_litert_model.h:98] Warmup (avg):         1.00 ms (9 runs)
INFO: [./litert/tools/benchmark_litert_model.h:100] Inference (avg):      0.61 ms (64 runs)
INFO: [./litert/tools/benchmark_litert_model.h:104] Inference (min):      0.55 ms
INFO: [./litert/tools/benchmark_litert_model.h:106] Inference (max):      0.90 ms
INFO: [./litert/tools/benchmark_litert_model.h:108] Inference (std):      0.02
INFO: [./litert/tools/benchmark_litert_model.h:124]
Memory Usage:
INFO: [./litert/tools/benchmark_litert_model.h:126] Init footprint:       1.50 MB
INFO: [./litert/tools/benchmark_litert_model.h:128] Overall footprint:    3.25 MB
INFO: [./litert/tools/benchmark_litert_model.h:135] Peak memory usage not available. (peak_mem_mb <= 0)
INFO: [./litert/tools/benchmark_litert_model.h:138] ======================================
"""
_XNNPACK = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


def replaced(some: int, whole: int, delegate: str) -> str:
    """The line of a delegate that took some of the operators."""
    return (
        f"VERBOSE: Replacing {some} out of {whole} node(s) with delegate ({delegate}) node, yielding 1 partitions for "
        "subgraph 0.\n"
    )


def tflite(*lines: str) -> str:
    """TensorFlow Lite's tool, with the lines of delegates in their position."""
    return "INFO: STARTING!\nINFO: Log parameter values verbosely: [0]\n" + "".join(lines) + _TIMES + _TFLITE_SUMMARY


def litert(*lines: str) -> str:
    """LiteRT's tool, with the lines of delegates in their position."""
    return "INFO: STARTING!\nINFO: Num threads: [1]\n" + "".join(lines) + _XNNPACK + _TIMES + _LITERT_SUMMARY


TFLITE_CPU = tflite(_XNNPACK, replaced(8, 8, "TfLiteXNNPackDelegate"))
TFLITE_GPU = tflite(
    "INFO: Created TensorFlow Lite delegate for GPU.\n",
    "INFO: Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate.\n",
)
TFLITE_GPU_PARTLY = tflite(
    "ERROR: Following operations are not supported by GPU delegate:\nGATHER_ND: Operation is not supported.\n"
    "6 operations will run on the GPU, and the remaining 2 operations will run on the CPU.\n",
    "INFO: Explicitly applied GPU delegate, and the model graph will be partially executed by the delegate w/ 1 "
    "delegate kernels.\n",
)
TFLITE_GPU_REFUSED = tflite(
    "INFO: Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.\n"
)
TFLITE_NPU_UNKNOWN = tflite("WARN: Unconsumed cmdline flags: --use_npu=true --dispatch_library_path=/data/local/tmp\n")
TFLITE_2018 = """\
STARTING!
Num threads: [1]
Initialized session in 9.933ms
Running benchmark for at least 10 iterations and at least 1 seconds
count=15 first=66753 curr=66800 min=66699 max=66838 avg=66767.5 std=39

Average inference timings in us: Warmup: 76605.5, Init: 9900, no stats: 66767.5
"""
LITERT_CPU = litert(replaced(8, 8, "TfLiteXNNPackDelegate"))
LITERT_GPU = litert(replaced(8, 8, "LITERT_CL"))
LITERT_GPU_MISSING = litert(
    "WARNING: [litert/runtime/gpu_registry.cc:150] GPU accelerator could not be loaded and registered.\n",
    replaced(8, 8, "TfLiteXNNPackDelegate"),
)
LITERT_NPU = litert(replaced(2, 3, "DispatchDelegate"))
LITERT_NPU_REFUSED = litert(
    "WARNING: Failed to apply compiler plugins: kLiteRtStatusErrorNotFound\n", replaced(8, 8, "TfLiteXNNPackDelegate")
)
GPU_FAILS = """\
INFO: STARTING!
ERROR: TfLiteGpuDelegate Init: CONCATENATION: Expected a 4D tensor of shape BxHxWxC but got 1x1x384
ERROR: Failed to apply GPU delegate.
ERROR: Benchmarking failed.
"""
