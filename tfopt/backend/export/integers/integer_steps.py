"""What is done between the steps of an int8 conversion, for recurrent layers and for layers that stay float by rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from tfopt.backend.calibration.ranges import clip_ranges
from tfopt.backend.compat.tflite_quantizer import quantize_in_steps
from tfopt.backend.export.integers import float_rules, loops, lstm_operator, small_weights
from tfopt.backend.export.integers.float_rules import NOTHING, FloatRequest
from tfopt.backend.quantization.lstm.simulated import CELL, RANGE
from tfopt.backend.quantizer.layer_modes import NO_RULES, LayerModes
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array
from tfopt.core.config.files.calibration import Calibration

_ALL_VALUES = Calibration.model_construct()


def quantize_well(
    converter: tf.lite.TFLiteConverter,
    saved_model: str,
    floats: FloatRequest = NOTHING,
    layers: LayerModes = NO_RULES,
    calibration: Calibration = _ALL_VALUES,
) -> None:
    """Sets a converter for int8: layers stay float by rule, recurrent layers convert well; else it is as before.

    Args:
        converter: of a SavedModel, already set for int8.
        saved_model: the folder of the SavedModel.
        floats: layers that stay float because the recipe says so.
        layers: modes of layers because the recipe says so.
        calibration: says how ranges are computed.
    """

    def prepare(content: bytes) -> bytes:
        return _edited(content, loops.has_loops, loops.separate_passed_values)

    def annotate(content: bytes) -> tuple[bytes, Collection[str]]:
        examples = converter.representative_dataset.input_gen()
        content = _edited(
            content, lstm_operator.is_in, partial(_measure_lstms, saved_model=saved_model, examples=examples)
        )
        edits = (loops.join_passed_values, loops.keep_loops_float, loops.begin_with_constants)
        content = _edited(content, loops.has_loops, *edits)
        if calibration.range != "min_max":
            clip = partial(clip_ranges, examples=converter.representative_dataset.input_gen, calibration=calibration)
            content = _edited(content, lambda file: True, clip)
        if not floats.names:
            return content, ()
        file = flatbuffer.parse(content)
        lstm_operator.name_results(file, kernels(saved_model))
        kept = float_rules.keep_float(file, floats, converter.inference_output_type == tf.float32)
        return flatbuffer.serialize(file), kept

    def finish(content: bytes) -> bytes:
        content = _edited(content, lstm_operator.is_in, lstm_operator.correct_scales)
        names = partial(loops.name_loops, variables=kernels(saved_model))
        content = _edited(content, loops.has_loops, names, loops.store_kernels_as_int8)
        return _edited(content, lambda file: bool(layers.modes), partial(small_weights.shrink, layers=layers))

    quantize_in_steps(converter, prepare, annotate, finish)


def _measure_lstms(file: flatbuffer.File, saved_model: str, examples: Iterable[Mapping[str, Array]]) -> None:
    states, cells = (
        lstm_operator.learned_ranges(file, kernels(saved_model), _ranges(saved_model, name)) for name in (RANGE, CELL)
    )
    lstm_operator.measure_ranges(file, examples, states, cells)


def _edited(
    content: bytes, concerned: Callable[[flatbuffer.File], bool], *edits: Callable[[flatbuffer.File], None]
) -> bytes:
    """A file after some changes; the same bytes where it is not concerned."""
    file = flatbuffer.parse(content)
    if not concerned(file):
        return content
    for edit in edits:
        edit(file)
    return flatbuffer.serialize(file)


def kernels(saved_model: str) -> Mapping[str, Array]:
    """The variables of a SavedModel with more than one axis, by the names that their layers gave them."""
    return _variables(saved_model, lambda name, axes: axes > 1)


def _ranges(saved_model: str, kind: str) -> dict[str, lstm_operator.Range]:
    """By name of an LSTM, a range that training learned, of its states or its cells."""
    found = _variables(saved_model, lambda name, axes: f"/{kind}_" in name)
    layers = {name.partition(f"/{kind}_")[0] for name in found}
    return {layer: (float(found[f"{layer}/{kind}_min"]), float(found[f"{layer}/{kind}_max"])) for layer in layers}


def _variables(saved_model: str, wanted: Callable[[str, int], bool]) -> dict[str, Array]:
    """Variables of a SavedModel by the names that their layers gave them, chosen by name and number of axes."""
    reader = tf.train.load_checkpoint(str(Path(saved_model) / "variables" / "variables"))
    graph = TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    shapes = reader.get_variable_to_shape_map()
    return {
        attribute.full_name: np.asarray(reader.get_tensor(attribute.checkpoint_key))
        for node in graph.nodes
        for attribute in node.attributes
        if wanted(attribute.full_name, len(shapes[attribute.checkpoint_key]))
    }
