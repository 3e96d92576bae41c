"""Makes the tf_keras twin of a Keras 3 model, call by call, and proves that it is one."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.equivalence import Step, difference
from tfopt.backend.bridge.functionalize import functional
from tfopt.backend.bridge.graph import Call, calls, mask_of
from tfopt.backend.bridge.layer_mapping import NoTwin, layer_twin
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper, host
from tfopt.backend.bridge.operations import operation_twin
from tfopt.backend.bridge.weight_mapping import pairing
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError


def to_tf_keras(model: keras.Model | tf_keras.Model) -> tf_keras.Model:
    """The tf_keras model with the same layers, weights and outputs as a Keras 3 model; not compiled.

    See `tfopt.bridge.to_tf_keras`.

    Raises:
        StageError: a layer cannot be converted, or the outputs of the two models differ; names the layer.
    """
    if isinstance(model, tf_keras.Model):
        return model
    if not isinstance(model, keras.Model):
        raise StageError(
            f"A {type(model).__name__} is no model that can be converted.",
            "Expected a keras.Model of Keras 3.",
            code="invalid_model",
        )
    source = functional(model)
    _refuse_what_cannot_run(source)
    conversion, twin = _converted(source, exact_masks=False)
    found = difference(source, twin, conversion.steps)
    if conversion.lost_masks and (found or not _same_masks(source.outputs, twin.outputs)):
        # Somebody looks at a mask that a layer passes on in one library only.
        conversion, twin = _converted(source, exact_masks=True)
        found = difference(source, twin, conversion.steps)
    if found:
        raise StageError(
            f"The tf_keras twin of {source.name!r} computes something else: {found}.",
            "This is a mistake in tfopt's bridge: please report the layer with its configuration.",
            code="not_equivalent",
        )
    return twin


def _converted(source: keras.Model, exact_masks: bool) -> tuple[_Conversion, tf_keras.Model]:
    """The twin of a model with its weights."""
    conversion = _Conversion(exact_masks)
    twin = conversion.model(source)
    for variable, value in pairing(source, twin):
        value.assign(variable.value)
    for layer in twin._flatten_layers(include_self=False):
        # What a Normalization computes with is derived from its weights.
        if isinstance(layer, tf_keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()
    return conversion, twin


@dataclass
class _Conversion:
    """What has been made so far; shared layers are met several times.

    Args:
        exact_masks: host a layer that passes a mask on in one library only (Rescaling, Normalization and Identity do in
            Keras 3); else it is taken as it is, for mostly nobody looks at the mask behind it.
        lost_masks: such a layer was met.
        layers: tf_keras layer by the id of the Keras 3 layer or operation.
        models: Keras 3 model by id: keeps traced graphs alive, whose ids are used here.
        steps: the tensors after each call of a model, by the name of the model.
    """

    exact_masks: bool
    lost_masks: bool = False
    layers: dict[int, tf_keras.layers.Layer] = field(default_factory=dict)
    models: dict[int, keras.Model] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def model(self, model: keras.Model) -> tf_keras.Model:
        """The twin of a model of any kind."""
        if id(model) not in self.layers:
            source = functional(model)
            self.models[id(model)] = model
            twin = self._sequential(source) if isinstance(source, keras.Sequential) else self._functional(source)
            # Not through the property, which would freeze or thaw every layer inside.
            twin._trainable = model.trainable
            self.layers[id(model)] = twin
        return self.layers[id(model)]

    def _functional(self, model: keras.Model) -> tf_keras.Model:
        tensors = {id(tensor): _input(tensor) for tensor in model.inputs}
        for call in calls(model):
            flat = self._outputs(call, tensors)
            tensors |= {id(tensor): twin for tensor, twin in zip(call.outputs, flat, strict=True)}
            self.steps.append(Step(model, call.operation.name, call.outputs, flat))

        def twins(structure: Any) -> Any:
            return keras.tree.map_structure(lambda tensor: tensors[id(tensor)], structure)

        return tf_keras.Model(twins(model._inputs_struct), twins(model._outputs_struct), name=model.name)

    def _sequential(self, model: keras.Sequential) -> tf_keras.Sequential:
        made = tf_keras.Sequential([_input_layer(model.inputs[0])], name=model.name)
        for call in calls(model):
            self._add(call, made)
            self.steps.append(Step(model, call.operation.name, call.outputs, made.outputs))
        return made

    def _add(self, call: Call, made: tf_keras.Sequential) -> None:
        """Puts the twin of a call on top of a Sequential model."""

        def add() -> None:
            before = made.outputs
            twin = self._layer(call, before)
            made.add(twin)
            if not self._keeps_masks(twin, call, before, made.outputs):
                made.pop()
                made.add(self._hosted(call))

        guarded(add, _converting(call))

    def _outputs(self, call: Call, tensors: dict[int, Any]) -> list[Any]:
        """What the twin of a call gives, flat, in the order of the call's outputs."""
        found = tf.nest.flatten(guarded(lambda: self._apply(call, tensors), _converting(call)))
        if len(found) != len(call.outputs):
            raise StageError(
                f"The layer {call.operation.name!r} has {len(call.outputs)} outputs in Keras 3 and {len(found)} in "
                "tf_keras.",
                code="bridge_failed",
            )
        return found

    def _apply(self, call: Call, tensors: dict[int, Any]) -> Any:
        """What the twin of a call gives."""
        inputs = [tensors[id(tensor)] for tensor in call.inputs]
        if not isinstance(call.operation, keras.layers.Layer):
            found = operation_twin(call, inputs)
            if found is not None:
                layer, arguments = found
                return layer(arguments)
        layer = self._layer(call, inputs)
        if not isinstance(layer, Keras3LayerWrapper):
            nodes = [(one, list(one._outbound_nodes)) for one in {id(t): t.node.layer for t in inputs}.values()]
            args, kwargs = keras.tree.map_structure(
                lambda value: tensors[id(value)] if isinstance(value, keras.KerasTensor) else value,
                (call.args, call.kwargs),
            )
            outputs = layer(*args, **kwargs)
            if self._keeps_masks(layer, call, inputs, tf.nest.flatten(outputs)):
                return outputs
            if len(layer._inbound_nodes) > 1:
                raise StageError(
                    f"The layer {layer.name!r} is shared, and passes a mask on in one library where it does not in "
                    "the other.",
                    code="bridge_failed",
                )
            for one, outbound in nodes:
                one._outbound_nodes[:] = outbound
            layer = self._hosted(call)
        layer.check_call(call)
        given = [tensors[id(tensor)] for tensor in call.inputs]
        return layer(given if len(given) > 1 else given[0])

    def _keeps_masks(self, twin: tf_keras.layers.Layer, call: Call, inputs: list[Any], outputs: list[Any]) -> bool:
        """Whether a twin may stay although it makes something else of a mask than the Keras 3 layer."""
        if isinstance(twin, Keras3LayerWrapper | tf_keras.Model) or not _same_masks(call.inputs, inputs):
            return True
        if _same_masks(call.outputs, outputs):
            return True
        self.lost_masks = True
        return not self.exact_masks

    def _layer(self, call: Call, inputs: list[Any]) -> tf_keras.layers.Layer:
        """The twin of a call's layer or operation, or its host; the same for every call of a shared layer."""
        operation = call.operation
        if id(operation) not in self.layers:
            self.models[id(operation)] = operation
            try:
                self.layers[id(operation)] = self._native(call, inputs)
            except NoTwin:
                self._hosted(call)
        return self.layers[id(operation)]

    def _native(self, call: Call, inputs: list[Any]) -> tf_keras.layers.Layer:
        operation = call.operation
        if isinstance(operation, keras.Model):
            if len(call.args) != 1 or call.kwargs:
                raise NoTwin("a nested model with several arguments")
            return self.model(operation)
        if not isinstance(operation, keras.layers.Layer):
            raise NoTwin("an operation")
        twin = layer_twin(operation, self.model)
        known = inspect.signature(twin.call).parameters
        if isinstance(twin, _MERGES) and not _alike(inputs):
            raise NoTwin("tf_keras merges only inputs of equal dtype and rank as Keras 3 does")
        if _zeroes_padding(operation, call.kwargs) and _is_masked(call, inputs):
            raise NoTwin("Keras 3 gives padding no attention at all where every score is masked, tf_keras an even one")
        if any(key not in known for key in call.kwargs):
            raise NoTwin(f"tf_keras's {type(twin).__name__} is not called with {sorted(call.kwargs)}")
        return twin

    def _hosted(self, call: Call) -> Keras3LayerWrapper:
        """A host for a call's layer or operation."""
        operation = call.operation
        self.layers[id(operation)] = host(call)
        return self.layers[id(operation)]


def _refuse_what_cannot_run(model: keras.Model) -> None:
    for layer in model._flatten_layers():
        if getattr(layer, "data_format", None) == "channels_first":
            raise StageError(
                f"The layer {layer.name!r} has data_format 'channels_first', which neither TensorFlow on a CPU nor "
                "TFLite can compute.",
                "Rebuild the model with data_format='channels_last'.",
                code="bridge_failed",
            )
        if layer.quantization_mode is not None:
            raise StageError(
                f"The layer {layer.name!r} has the dtype policy {layer.dtype_policy.name!r}: it is quantized already.",
                "Convert the model as it was before model.quantize(...): tfopt quantizes it by the recipe.",
                code="bridge_failed",
            )


def _converting(call: Call) -> str:
    return f"Converting the layer {call.operation.name!r} ({type(call.operation).__name__})"


_MERGES = tuple(
    getattr(tf_keras.layers, name)
    for name in ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
)


def _alike(tensors: list[Any]) -> bool:
    return len({(tensor.dtype, tensor.shape.rank) for tensor in tensors}) == 1


def _zeroes_padding(layer: keras.layers.Layer, kwargs: dict[str, Any]) -> bool:
    """Whether a layer takes the softmax of Keras 3 that is 0 in rows that are masked from end to end.

    Attention without dropout takes another path, which is even there, as tf_keras is (keras 3.15).
    """
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return layer.dropout > 0 or bool(kwargs.get("return_attention_scores"))
    return isinstance(layer, keras.layers.Softmax)


def _is_masked(call: Call, inputs: list[Any]) -> bool:
    return any(mask_of(tensor) is not None for tensor in inputs) or any("mask" in key for key in call.kwargs)


def _same_masks(left: list[Any], right: list[Any]) -> bool:
    return [mask_of(tensor) is None for tensor in left] == [mask_of(tensor) is None for tensor in right]


def _input(tensor: Any) -> Any:
    return _input_layer(tensor).output


def _input_layer(tensor: Any) -> tf_keras.layers.InputLayer:
    batch, *shape = tensor.shape
    layer = tensor._keras_history.operation
    return tf_keras.layers.InputLayer(
        input_shape=tuple(shape), batch_size=batch, dtype=tensor.dtype, sparse=tensor.sparse, name=layer.name
    )
