"""A realistic report of train -> prune -> qat with four files, and a second one that does not hold."""

from __future__ import annotations

import math

from tfopt.core.records.report import (
    AuditRecord,
    BudgetRecord,
    ClaimRecord,
    DataRecord,
    Environment,
    ExportRecord,
    LayerRecord,
    PortRecord,
    Report,
    RunInfo,
    StageRecord,
    TensorRecord,
)

RECIPE_YAML = """\
name: digits-prune-qat
seed: 7
data: {source: digits, batch_size: 64}
model: {source: small_cnn}
stages:
  - train: {epochs: 15}
  - prune: {epochs: 10, schedule: {kind: polynomial, final: 80%}}
  - qat: {epochs: 5}
export:
  keras: {}
  tflite: {float32: {}, dynamic: {quantize: dynamic}, int8: {quantize: int8, io: int8}}
budgets:
  int8.accuracy_drop: 1%
  int8.bytes: 60 kB
"""

STEPS_PER_EPOCH = 20
LAYERS = (("conv", "Conv2D", 160, 144), ("conv_1", "Conv2D", 4_640, 4_608), ("hidden", "Dense", 32_832, 32_768),
          ("logits", "Dense", 650, 640))  # fmt: skip


def _history(epochs: int, start: float, stage: str) -> list[dict[str, float]]:
    entries = []
    for epoch in range(1, epochs + 1):
        progress = epoch / epochs
        accuracy = start + (0.985 - start) * (1 - math.exp(-4 * progress))
        entry = {
            "epoch": float(epoch),
            "step": float(epoch * STEPS_PER_EPOCH),
            "seconds": 0.31 * epoch,
            "accuracy": accuracy + 0.006,
            "loss": 2.2 * (1 - accuracy) + 0.02,
            "val_accuracy": accuracy - 0.004 * math.sin(3 * epoch),
            "val_loss": 2.4 * (1 - accuracy) + 0.05 + 0.01 * math.sin(5 * epoch),
            "learning_rate": 1e-3,
        }
        if stage == "prune":
            planned = 0.8 - 0.8 * (1 - min(progress / 0.7, 1)) ** 3
            entry |= {"planned_sparsity": planned, "sparsity": planned * 0.998}
        if stage == "qat":
            entry["sparsity"] = 0.7991
        entries.append(entry)
    return entries


def _layers(sparsity: float, unique: int | None = None) -> list[LayerRecord]:
    records = []
    for name, kind, parameters, kernel in LAYERS:
        skipped = "a rule of the recipe says skip" if name == "logits" and sparsity else None
        zeros = 0.0 if skipped else sparsity
        distinct = unique or round(kernel * (1 - zeros)) + bool(zeros)
        records.append(
            LayerRecord(name=name, type=kind, parameters=parameters, sparsity=zeros, unique=distinct, skipped=skipped)
        )
    return records


def _stage(
    name: str, epochs: int, accuracy: float, sparsity: float, seconds: float, cached: bool = False
) -> StageRecord:
    return StageRecord(
        name=name,
        kind=name,
        key=f"{name:0<64}".replace("r", "4").replace("u", "5"),
        cached=cached,
        seconds=seconds,
        parameters=38_282,
        measures={"accuracy": accuracy, "loss": 2.3 * (1 - accuracy) + 0.03, "sparsity": sparsity},
        layers=_layers(sparsity),
        history=_history(epochs, {"train": 0.2, "prune": 0.93, "qat": 0.96}[name], name),
        details={"epochs": epochs},
    )


def _audit(dtype: str, sparsity: float, integer: bool) -> AuditRecord:
    quantization = "none" if dtype == "float32" else "per-channel"
    width = 4 if dtype == "float32" else 1
    tensors = []
    for name, kind, _, kernel in LAYERS:
        shape = {"conv": [16, 3, 3, 1], "conv_1": [32, 3, 3, 16], "hidden": [64, 512], "logits": [10, 64]}[name]
        tensors.append(
            TensorRecord(
                name=f"small_cnn/{name}/{kind}",
                layer=name,
                dtype=dtype,
                shape=shape,
                bytes=kernel * width,
                sparsity=0.0 if name == "logits" else sparsity,
                unique=min(kernel, 255 if width == 1 else kernel),
                quantization=quantization,
                scales=0 if width == 4 else shape[0],
                role="weight",
            )
        )
        tensors.append(
            TensorRecord(
                name=f"small_cnn/{name}/BiasAdd",
                layer=name,
                dtype="int32" if integer else "float32",
                shape=[shape[0]],
                bytes=4 * shape[0],
                sparsity=0.0,
                unique=shape[0],
                quantization="per-channel" if integer else "none",
                scales=shape[0] if integer else 0,
                role="bias",
            )
        )
    operators = {"CONV_2D": 2, "MAX_POOL_2D": 2, "RESHAPE": 1, "FULLY_CONNECTED": 2}
    port = "int8" if integer else "float32"
    return AuditRecord(
        inputs=[PortRecord(name="serving_default_image:0", dtype=port, shape=[-1, 8, 8, 1],
                           scale=0.0039 if integer else 0.0, zero_point=-128 if integer else 0)],
        outputs=[PortRecord(name="StatefulPartitionedCall:0", dtype=port, shape=[-1, 10],
                            scale=0.19 if integer else 0.0, zero_point=21 if integer else 0)],
        operators=operators,
        float_operators={} if integer else operators,
        float_layers=[] if integer else [name for name, *_ in LAYERS],
        sparsity=sparsity * 0.983,
        tensors=tensors,
        signatures=["serving_default"],
    )  # fmt: skip


def _claims(name: str) -> list[ClaimRecord]:
    sparse = [
        ClaimRecord(claim=f"{layer}: sparsity survived", held=True, found="79.9% in the file, 79.9% in the model")
        for layer in ("conv", "conv_1", "hidden")
    ]
    shared = [
        ClaimRecord(
            claim="runs with XNNPACK and with the reference kernels", held=True, found="both gave finite answers"
        ),
        ClaimRecord(claim="agrees with the Keras model", held=True, found="99.4% equal answers, at least 95% asked"),
        *sparse,
    ]
    if name == "int8":
        return [ClaimRecord(claim="int8 only", held=True, found="7 operators, none of them float"), *shared]
    return shared


def _export(name: str, num_bytes: int, gzip_bytes: int, accuracy: float, latency: float | None) -> ExportRecord:
    tflite = name != "keras"
    measures = {"accuracy": accuracy, "accuracy_drop": 0.9833 - accuracy}
    if tflite and latency:
        spread = {"latency_ms_p10": latency * 0.94, "latency_ms_p90": latency * 1.2}
        measures |= {"agreement": 0.9944, "latency_ms": latency, **spread}
    audit = {
        "float32": lambda: _audit("float32", 0.7991, False),
        "dynamic": lambda: _audit("int8", 0.7998, False),
        "int8": lambda: _audit("int8", 0.7998, True),
    }.get(name)
    return ExportRecord(
        name=name,
        format="tflite" if tflite else "keras",
        path=f"export/{name}.tflite" if tflite else "export/model.keras",
        bytes=num_bytes,
        gzip_bytes=gzip_bytes,
        measures=measures,
        audit=audit() if audit else None,
        claims=_claims(name) if tflite else [],
    )


def sample_report() -> Report:
    """A run in which everything held."""
    return Report(
        run=RunInfo(id="20260727-141503-5f2c", recipe="digits-prune-qat", state="done", seconds=47.3, seed=7),
        environment=Environment(
            python="3.11.9", tensorflow="2.21.0", tf_keras="2.21.0", keras="3.15.0", tfmot="0.8.1", litert="2.1.0",
            tfopt="0.1.0", cpu="AMD EPYC 7B13", threads=2,
        ),
        data=DataRecord(source="digits", fingerprint="3b1f9a" + "0" * 58, train=1294, validation=143, test=360),
        stages=[
            _stage("train", 15, 0.9833, 0.0, 14.2, cached=True),
            _stage("prune", 10, 0.9806, 0.7991, 11.8),
            _stage("qat", 5, 0.9806, 0.7991, 13.1),
        ],
        exports=[
            _export("keras", 172_410, 61_200, 0.9806, None),
            _export("float32", 157_220, 44_870, 0.9806, 0.0213),
            _export("dynamic", 44_104, 17_930, 0.9778, 0.0182),
            _export("int8", 43_560, 16_480, 0.9778, 0.0121),
        ],
        budgets=[
            BudgetRecord(name="int8.accuracy_drop", limit=0.01, value=0.0055, met=True),
            BudgetRecord(name="int8.bytes", limit=60_000, value=43_560, met=True),
        ],
        warnings=["conv has 144 kernel weights: dynamic-range quantization leaves kernels this small in float32."],
    )  # fmt: skip


def lying_report() -> Report:
    """The same run with a float file presented as int8, one budget missed, and one that could not be measured."""
    report = sample_report()
    exports = [*report.exports]
    claims = [*exports[-1].claims]
    claims[0] = ClaimRecord(
        claim="int8 only",
        held=False,
        found="FULLY_CONNECTED computes in float32 (tensor small_cnn/logits, layer logits)",
    )
    exports[-1] = exports[-1].model_copy(update={"claims": claims, "audit": _audit("float32", 0.31, False)})
    budgets = [
        *report.budgets,
        BudgetRecord(name="int8.latency_ms", limit=0.01, value=0.0121, met=False),
        BudgetRecord(name="dynamic.accuracy", limit=0.99, value=0.9778, met=False),
        BudgetRecord(name="float32.gzip_bytes", limit=30_000, value=None, met=False),
    ]
    return report.model_copy(update={"exports": exports, "budgets": budgets})


def hostile_report() -> Report:
    """Names that try to leave their place in a page."""
    report = sample_report()
    evil = "</td><script>alert('x')</script>[bold]&"
    layers = [report.stages[0].layers[0].model_copy(update={"name": evil, "skipped": evil})]
    stages = [stage.model_copy(update={"name": evil, "layers": layers}) for stage in report.stages]
    exports = [export.model_copy(update={"name": evil}) for export in report.exports]
    run = report.run.model_copy(update={"recipe": evil})
    return report.model_copy(update={"run": run, "stages": stages, "exports": exports, "warnings": [evil]})
