"""The plain values that a run leaves behind: `report.json`, field by field.

The JSON Schema of `report.json` is made from these classes (`tfopt schema --report`).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from tfopt.core.records.cache import CacheRecord
from tfopt.core.records.explanation import ExplanationRecord
from tfopt.core.records.layer_sizes import LayerSizeRecord
from tfopt.core.records.record import Record
from tfopt.core.records.text import TextRecord


class LayerRecord(Record):
    """One layer with weights after a stage."""

    name: str
    """Keras name."""
    type: str
    """Keras layer type."""
    parameters: int
    """Number of weights, kernel and all else."""
    sparsity: float
    """Share of zeros in its kernel weights."""
    unique: int
    """Distinct values in its kernel weights."""
    skipped: str | None = None
    """Why the stage left this layer alone; null where it did not."""
    unique_per_channel: int | None = None
    """The largest number of distinct values in one output channel of one of the kernels that can be clustered; null
    where there are none."""
    clusters: int | None = None
    """Most distinct values that a cluster stage allowed its kernels; null where it shares no values."""
    clusters_per_channel: bool = False
    """Whether that holds for each output channel on its own, and not for a kernel as a whole."""
    own_type: str | None = None
    """The user's class of the layer that it is inside of, where tfopt opened that; left out for all others."""

    @model_serializer(mode="wrap")
    def _without_nothing(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        dumped: dict[str, object] = dump(self)
        if self.own_type is None:
            dumped.pop("own_type", None)
        return dumped

    @property
    def shown_type(self) -> str:
        """Its type for tables: `Dense in Block` inside of a user's layer."""
        return self.type if self.own_type is None else f"{self.type} in {self.own_type}"


class StageRecord(Record):
    """One stage of a run."""

    name: str
    kind: str
    key: str
    """SHA-256 that identifies the result in the store."""
    cached: bool
    """Taken from the store."""
    seconds: float
    parameters: int
    macs: int | None = None
    """Multiply-accumulate operations for one example; null where a layer's cannot be counted, and in older reports."""
    measures: dict[str, float]
    """On the test split: the recipe's metrics, `loss`, and `sparsity` over the kernels of the prunable layers."""
    layers: list[LayerRecord]
    history: list[dict[str, float]] = []
    """One entry per epoch: `epoch`, `step`, `seconds`, metrics (`val_` on the validation split), `sparsity`,
    `planned_sparsity`, `learning_rate`."""
    sources: dict[str, str] = {}
    """External models that it was made with: key in the store, or SHA-256 of the file, by label."""
    details: dict[str, Any] = {}
    """Further results of the stage (e.g. the resolved schedules of a prune stage by layer)."""


class TensorRecord(Record):
    """One tensor of a .tflite file that holds data."""

    name: str
    layer: str | None
    """Keras layer it belongs to, where that is known."""
    dtype: str
    shape: list[int]
    bytes: int
    """Bytes in the file."""
    sparsity: float
    """Share of zeros (for quantized tensors: of values equal to the zero point)."""
    unique: int
    """Distinct values; the largest count in any channel where the tensor is quantized per channel or per block."""
    quantization: Literal["none", "per-tensor", "per-channel", "per-block"]
    scales: int = 0
    """Number of distinct scales."""
    role: Literal["weight", "bias", "constant"] = "constant"
    """`weight`: a kernel, filter or table; `bias`; or another constant (shapes, axes)."""
    unique_per_channel: int | None = None
    """For a weight of an operator: the largest number of distinct values in one output channel, however it is
    quantized."""
    sparse_encoding: bool = False
    """Stored in the sparse format."""
    entropy_bytes: int | None = None
    """Number of values times their entropy, in bytes: what the best coder of single values needs; null in older
    reports."""
    stored_values: int | None = None
    """How many values the sparse format stores; null where it is not used."""
    sparse_block: int = 0
    """How many values the sparse format stores together along the inputs: 1 for single ones; 0 where it is not used."""
    operator: str = ""
    """The operator that reads it, of those with a role for weights; empty where none does."""
    activations: str = ""
    """Dtype of the result of that operator."""
    block: int = 0
    """How many values of a row share a scale, where the tensor is quantized per block."""


class PortRecord(Record):
    """An input or output of a file."""

    name: str
    dtype: str
    shape: list[int] | None
    """-1 where any size goes; None where the file does not say."""
    scale: float = 0.0
    zero_point: int = 0


class AuditRecord(Record):
    """What a file really contains."""

    inputs: list[PortRecord]
    outputs: list[PortRecord]
    operators: dict[str, int]
    """How many of each operator."""
    float_operators: dict[str, int]
    """Operators other than QUANTIZE and DEQUANTIZE that read or write float values."""
    float_layers: list[str] = []
    """Keras layers behind the float operators."""
    untraced_float_operators: dict[str, int] = {}
    """Those of the float operators whose Keras layer is not known."""
    sparsity: float
    """Share of zeros over all weights."""
    tensors: list[TensorRecord]
    signatures: list[str] = []
    format: str = "tflite"
    """`tflite`, `keras`, `h5` or `saved_model`. `operators` counts layer types in the files of Keras, and operations of
    TensorFlow in a SavedModel without layers."""
    activations: dict[str, int] = {}
    """How many values a `.tflite` computes or takes in, by type."""
    inner_conversions: dict[str, int] = {}
    """QUANTIZE and DEQUANTIZE operators with float values that are not at the inputs or outputs of a `.tflite`."""
    computes_in: list[str] = []
    """Types that the layers of a Keras file compute in."""
    bytes: int | None = None
    """Size of the file; null inside of a report, where the record of the export has it."""
    gzip_bytes: int | None = None
    """The same after gzip."""
    zstd_bytes: int | None = None
    """The same after zstd."""
    entropy_bytes: int | None = None
    """Sum of `entropy_bytes` over all tensors."""
    sparse_bytes: int | None = None
    """Bytes of the tensors in the sparse format, indices included; null where there are none."""
    layer_sizes: list[LayerSizeRecord] = []
    """Bytes by layer, the largest first."""
    notes: list[str] = []
    """What the file is, in a sentence each, where its name does not tell; empty inside of a report."""


class ClaimRecord(Record):
    """A sentence about a file, checked in the file."""

    claim: str
    held: bool
    found: str
    """What was found; names tensor and layer where the claim is broken."""
    code: str = ""
    """Stable name of the claim, one of `tfopt.core.config.files.claim_codes`; empty in reports of version 0.1.0."""
    accepted: str | None = None
    """Why the recipe accepts that the claim is broken; null where it does not, or need not."""

    @property
    def passes(self) -> bool:
        """Whether the claim does not fail the run: it held, or the recipe accepts that it did not."""
        return self.held or self.accepted is not None


class SimulationRecord(Record):
    """What the stage that simulates integers in training was worth for an integer file."""

    stage: str
    """Name of the stage."""
    quantum: float | None
    """Distance between two neighboring values of the file's output; null where the output is not quantized."""
    quanta: dict[str, float] | None = None
    """The same distance by output name, of the outputs that are quantized; null where the model has one output."""
    plain: dict[str, float] = {}
    """The recipe's metrics, `loss` and `<metric>_drop` of plain post-training quantization: the same variant of the
    model before the stage, on the full test split."""
    plain_failed: str = ""
    """Why there is no such file to compare with; empty where there is."""
    worse_than_plain: bool = False
    """Whether the file is worse than the plain one in the recipe's first metric, by more than noise."""


class ExportRecord(Record):
    """One exported file (or folder)."""

    name: str
    format: str
    """tflite, saved_model, keras or bundle."""
    path: str
    """Relative to the run folder."""
    bytes: int
    gzip_bytes: int
    """After gzip."""
    zstd_bytes: int | None = None
    """After zstd; null in older reports."""
    entropy_bytes: int | None = None
    """Entropy bound of the weights of a `.tflite`: what the best coder of single values needs for them."""
    sparse_bytes: int | None = None
    """Bytes of the weights in the sparse format, indices included; null where there are none."""
    measures: dict[str, float]
    """From running the file on the full test split: the recipe's metrics, `<metric>_drop` against the first dense
    stage, `agreement` with the Keras model it came from (for regression: the largest absolute difference, and
    `relative_error`: its root mean square over the standard deviation of the model's outputs), `latency_ms`
    (median), `latency_ms_p10`, `latency_ms_p90`, `cold_start_ms` (loading and the first call), `arena_bytes` (of the
    tensors that it computes) and `peak_memory` (bytes); after `tfopt bench RUN --adb` also `phone_latency`
    (milliseconds, on the fastest accelerator that was measured; the rest is in `details.phone`); for an integer file of
    a model with simulated quantization also `within_quantum`: the share of output values that differ from that model's
    by at most one quantum."""
    audit: AuditRecord | None = None
    claims: list[ClaimRecord] = []
    details: dict[str, Any] = {}
    simulation: SimulationRecord | None = None
    """For an integer file after a stage that simulates integers; else null."""
    explanation: ExplanationRecord | None = None
    """For a `.tflite`: per class and per example, how its predictions differ from those of the Keras model it came
    from; with `sensitivity: true` also per layer. Null where it did not run, and for other formats."""
    error: str | None = None
    """Why the file could not be made or measured; null where it was. A broken claim says the same."""
    error_code: str | None = None
    """The code of that error (docs/errors.md)."""


class BudgetRecord(Record):
    """One budget of the recipe."""

    name: str
    limit: float
    value: float | None
    """Null where the file could not be measured."""
    met: bool


class RunInfo(Record):
    """Which run it was."""

    id: str
    recipe: str
    state: Literal["done", "failed", "interrupted"]
    seconds: float
    seed: int
    error: str | None = None
    """Why the run failed, as printed."""
    error_code: str | None = None
    """The code of that error (docs/errors.md)."""


class Environment(Record):
    """On what it ran."""

    python: str = ""
    tensorflow: str = ""
    tf_keras: str = ""
    keras: str = ""
    tfmot: str = ""
    litert: str = ""
    tfopt: str = ""
    cpu: str = ""
    threads: int = 0
    gpus: list[str] = []
    """GPUs that TensorFlow trained on; empty where it was the processor."""


class DataRecord(Record):
    """What it learned from."""

    source: str = ""
    fingerprint: str = ""
    train: int = 0
    validation: int = 0
    test: int = 0
    text: TextRecord | None = None
    """How texts became token ids; left out for other data."""
    cache: CacheRecord | None = None
    """Where the examples are; left out where a source has them in memory anyway."""
    most_frequent: dict[str, float] | None = None
    """The share of the test examples that have the most frequent label: the accuracy of a model that always answers the
    same. By output name, "" for a single output; left out where examples have no label in memory, and where they have
    weights."""

    @model_serializer(mode="wrap")
    def _without_nothing(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        dumped: dict[str, object] = dump(self)
        if self.text is None:
            dumped.pop("text", None)
        if self.cache is None:
            dumped.pop("cache", None)
        if self.most_frequent is None:
            dumped.pop("most_frequent", None)
        return dumped


class Report(Record):
    """All of `report.json`."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    run: RunInfo
    environment: Environment = Environment()
    data: DataRecord = DataRecord()
    metric: str = "accuracy"
    """The recipe's main metric."""
    outputs: list[str] = []
    """Names of the outputs that are judged, where the recipe names them."""
    stages: list[StageRecord] = []
    exports: list[ExportRecord] = []
    budgets: list[BudgetRecord] = []
    warnings: list[str] = []

    @property
    def held(self) -> bool:
        """Whether every claim held, or is accepted as broken, and every budget was met."""
        return all(c.passes for e in self.exports for c in e.claims) and all(b.met for b in self.budgets)
