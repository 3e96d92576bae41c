"""Makes the tf_keras counterpart of a Keras 3 model, call by call."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.call_mapping import counterpart
from tfopt.backend.bridge.equivalence import Step
from tfopt.backend.bridge.layer_mapping import NoEquivalent
from tfopt.backend.bridge.layer_wrapper import (
    Keras3LayerWrapper,
    call_pattern,
    check_can_be_made_again,
    wrap,
    written_down,
)
from tfopt.backend.bridge.mask_checks import same_masks
from tfopt.backend.bridge.opened_layer import OwnLayer, OwnWeights
from tfopt.backend.bridge.operations import equivalent_operation
from tfopt.backend.bridge.own_layer import opened
from tfopt.backend.bridge.own_normalization import own_normalization
from tfopt.backend.bridge.reading.caches import has_own_cache
from tfopt.backend.bridge.reading.functionalize import functional, nested_graph
from tfopt.backend.bridge.reading.graph import Call, calls, is_own, mask_of, parts_inside
from tfopt.backend.bridge.reading.inherited import inherited
from tfopt.backend.bridge.reading.inputs import input_layer, input_of
from tfopt.backend.types import Nested
from tfopt.catalog.guard import guarded
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


@dataclass
class Conversion:
    """What has been made so far; shared layers are met several times.

    Args:
        exact_masks: wrap a layer that passes a mask on in one library only (Rescaling, Normalization and Identity do in
            Keras 3); else it is taken as it is, for mostly nobody looks at the mask behind it.
        opens: replace layers of a user's own class by what is inside them, where their call is a graph.
        lost_masks: such a layer was met.
        layers: tf_keras layer by the id of the Keras 3 layer or operation.
        models: Keras 3 model, layer or operation by id: keeps traced graphs alive, whose ids are used here.
        steps: the tensors after each call of a model, by the name of the model.
        prefix: what the names of layers begin with that are made now: those of the opened layers around them.
        num_opened: how many layers were opened.
        names: of layers inside opened ones, by id.
        outside: ids of the layers and operations that models call themselves.
    """

    exact_masks: bool
    opens: bool = True
    lost_masks: bool = False
    # A value has the class that belongs to its key: a layer, a model or a wrapper.
    layers: dict[int, Any] = field(default_factory=dict)
    models: dict[int, keras.Operation] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    prefix: str = ""
    num_opened: int = 0
    names: dict[int, str] = field(default_factory=dict)
    outside: set[int] = field(default_factory=set)

    def model(self, model: keras.Model) -> tf_keras.Model:
        """The counterpart of a model of any kind."""
        if id(model) not in self.layers:
            source = nested_graph(model) if self.models else functional(model)
            self.models[id(model)] = model
            converted = self._sequential(source) if isinstance(source, keras.Sequential) else self._functional(source)
            # Not through the property, which would freeze or thaw every layer inside.
            converted._trainable = model.trainable
            self.layers[id(model)] = converted
        return self.layers[id(model)]

    def _functional(self, model: keras.Model) -> tf_keras.Model:
        self.outside |= {id(call.operation) for call in calls(model)}
        tensors = {id(tensor): input_of(tensor) for tensor in model.inputs}
        for call in calls(model):
            flat = self._outputs(call, tensors)
            tensors |= {id(tensor): converted for tensor, converted in zip(call.outputs, flat, strict=True)}
            self.steps.append(Step(model, call.operation.name, call.outputs, flat))

        def converted(structure: Nested) -> Nested:
            return keras.tree.map_structure(lambda tensor: tensors[id(tensor)], structure)

        return tf_keras.Model(converted(model._inputs_struct), converted(model._outputs_struct), name=model.name)

    def _sequential(self, model: keras.Sequential) -> tf_keras.Sequential:
        self.outside |= {id(call.operation) for call in calls(model)}
        sequential = tf_keras.Sequential([input_layer(model.inputs[0])], name=model.name)
        for call in calls(model):
            self._add(call, sequential)
            self.steps.append(Step(model, call.operation.name, call.outputs, sequential.outputs))
        return sequential

    def _add(self, call: Call, sequential: tf_keras.Sequential) -> None:
        """Puts the counterpart of a call on top of a Sequential model."""

        def add() -> None:
            before = sequential.outputs
            converted = self._layer(call, before)
            sequential.add(converted)
            if not self._keeps_masks(converted, call, before, sequential.outputs):
                sequential.pop()
                sequential.add(self._wrapped(call))

        guarded(add, _converting(call))

    def _outputs(self, call: Call, tensors: dict[int, tf.Tensor]) -> list[tf.Tensor]:
        """The outputs of the counterpart of a call, flat, in the order of the call's outputs."""
        outputs = tf.nest.flatten(guarded(lambda: self._apply(call, tensors), _converting(call)))
        if len(outputs) != len(call.outputs):
            raise StageError(
                f"The layer {call.operation.name!r} has {counted(len(call.outputs), 'output')} in Keras 3 and "
                f"{len(outputs)} in "
                "tf_keras.",
                code="bridge_failed",
            )
        return outputs

    def _apply(self, call: Call, tensors: dict[int, tf.Tensor]) -> Nested:
        """The outputs of the counterpart of a call, nested as the call's."""
        inputs = [tensors[id(tensor)] for tensor in call.inputs]
        if not isinstance(call.operation, keras.layers.Layer):
            found = equivalent_operation(call, inputs)
            if found is not None:
                layer, arguments = found
                layer._name = self.prefix + layer.name
                return layer(arguments)
        layer = self._layer(call, inputs)
        if isinstance(layer, OwnLayer):
            return layer(inputs if len(inputs) > 1 else inputs[0])
        if not isinstance(layer, Keras3LayerWrapper):
            before = {id(tensor): tensor.node.layer for tensor in inputs}.values()
            nodes = [(layer_before, list(layer_before._outbound_nodes)) for layer_before in before]
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
            for layer_before, outbound in nodes:
                layer_before._outbound_nodes[:] = outbound
            layer = self._wrapped(call)
        way = layer.way_of(call)
        return layer(inputs if len(inputs) > 1 else inputs[0], **({"way": way} if way else {}))

    def _keeps_masks(
        self, converted: tf_keras.layers.Layer, call: Call, inputs: list[tf.Tensor], outputs: list[tf.Tensor]
    ) -> bool:
        """Whether a counterpart may stay although it makes something else of a mask than the Keras 3 layer."""
        if isinstance(converted, Keras3LayerWrapper | tf_keras.Model) or not same_masks(call.inputs, inputs):
            return True
        if same_masks(call.outputs, outputs):
            return True
        self.lost_masks = True
        return not self.exact_masks

    def _layer(self, call: Call, inputs: list[tf.Tensor]) -> tf_keras.layers.Layer:
        """The counterpart of a call's layer or operation, or its wrapper; the same for every call of a shared layer."""
        operation = call.operation
        if id(operation) not in self.layers:
            self.models[id(operation)] = operation
            try:
                self.layers[id(operation)] = self._native(call, inputs)
            except NoEquivalent as reason:
                self._wrapped(call)
                if is_own(operation):
                    self.layers[id(operation)].closed_because = str(reason)
            if self.prefix and not isinstance(self.layers[id(operation)], OwnLayer):
                self.layers[id(operation)]._name = self._name_of(operation)
        return self.layers[id(operation)]

    def _native(self, call: Call, inputs: list[tf.Tensor]) -> tf_keras.layers.Layer:
        operation = call.operation
        if isinstance(operation, keras.Model):
            if len(call.args) != 1 or call.kwargs:
                raise NoEquivalent("a nested model with several arguments")
            return self.model(operation)
        if not isinstance(operation, keras.layers.Layer):
            raise NoEquivalent("an operation")
        if is_own(operation):
            found = self._normalization(call, inputs) or self._inherited(call, inputs)
            return found or self._opened(call, inputs)
        if isinstance(operation, keras.layers.RMSNormalization):
            return self._normalization(call, inputs) or counterpart(operation, call, inputs, self.model)
        return counterpart(operation, call, inputs, self.model)

    def _normalization(self, call: Call, inputs: list[tf.Tensor]) -> OwnLayer | None:
        """The counterpart of a layer that is a LayerNormalization or RMSNormalization in all but name."""
        if not self.opens or any(mask_of(tensor) is not None for tensor in call.inputs):
            return None
        try:
            inside, roles = own_normalization(call)
        except NoEquivalent:
            return None
        layer = self._around(inside, "normalization", call, inputs, roles)
        self.num_opened += 1
        return layer

    def _inherited(self, call: Call, inputs: list[tf.Tensor]) -> OwnLayer | None:
        """The counterpart of a layer of a user's own class that computes what its class of Keras does."""
        base = inherited(call) if self.opens else None
        if base is None:
            return None
        layer = self._around(counterpart(base, call, inputs, self.model), type(base).__name__.lower(), call, inputs, {})
        if len(layer.weights) != len(call.operation.weights):
            raise NoEquivalent("it has weights that its class of Keras does not have")
        self.num_opened += 1
        return layer

    def _around(
        self, inside: tf_keras.layers.Layer, kind: str, call: Call, inputs: list[tf.Tensor], roles: dict[str, str]
    ) -> OwnLayer:
        """A user's layer that is one layer of tf_keras; `roles` as for `OwnLayer`."""
        check_can_be_made_again(call.operation)
        name = self._name_of(call.operation)
        inside._name = f"{name}.{kind}"
        twins = [tf_keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in inputs]
        of = {id(tensor): twin for tensor, twin in zip(call.inputs, twins, strict=True)}
        args, kwargs = keras.tree.map_structure(lambda value: of.get(id(value), value), (call.args, call.kwargs))
        hosted = json.dumps(written_down(call.operation))
        given = twins if len(twins) > 1 else twins[0]
        layer = OwnLayer(given, inside(*args, **kwargs), hosted, call_pattern(call), name, roles)
        layer._trainable = call.operation.trainable
        return layer

    def _opened(self, call: Call, inputs: list[tf.Tensor]) -> OwnLayer:
        """The counterpart of a layer of a user's own class: a nested model of what is inside it."""
        if not self.opens:
            raise NoEquivalent("what is inside it computes something else outside of it")
        if has_own_cache(call.operation):
            raise NoEquivalent("it keeps keys and values itself, which files that generate need")
        if any(id(part) in self.outside or id(part) in self.layers for part in parts_inside(call.operation)):
            raise NoEquivalent("a layer inside it is used outside of it, too")
        graph = opened(call)
        check_can_be_made_again(call.operation)
        name, around, made = self._name_of(call.operation), self.prefix, set(self.layers)
        self.names |= graph.names
        twins = [tf_keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in inputs]
        tensors = {id(tensor): twin for tensor, twin in zip(graph.inputs, twins, strict=True)}
        self.prefix = f"{name}."
        try:
            if graph.weights:
                shapes = {place: variable.shape for place, (variable, _) in graph.weights.items()}
                values = OwnWeights(shapes, name=f"{name}.weights")(twins[0])
                symbols = [id(symbol) for _, symbol in graph.weights.values()]
                tensors |= dict(zip(symbols, values, strict=True))
            struct = self._walked(graph.function, tensors)
            hosted = json.dumps(written_down(call.operation))
            layer = OwnLayer(twins if len(twins) > 1 else twins[0], struct, hosted, call_pattern(call), name)
        except (StageError, ValueError, KeyError) as error:
            for key in set(self.layers) - made:
                del self.layers[key]
            first = str(error).strip().splitlines()[:1] or [""]  # what TensorFlow says below it is a traceback
            raise NoEquivalent(f"what is inside it cannot be converted ({first[0][:160]})") from error
        finally:
            self.prefix = around
        layer._trainable = call.operation.trainable
        self.num_opened += 1
        return layer

    def _walked(self, function: keras.Function, tensors: dict[int, tf.Tensor]) -> Nested:
        """The outputs of a graph's counterpart; `tensors` has those of its inputs."""
        for inner in calls(function):
            flat = self._outputs(inner, tensors)
            tensors |= {id(tensor): converted for tensor, converted in zip(inner.outputs, flat, strict=True)}
        return keras.tree.map_structure(lambda tensor: tensors[id(tensor)], function._outputs_struct)

    def _name_of(self, operation: keras.Operation) -> str:
        """Its name in the converted model: behind those of the opened layers around it."""
        return self.prefix + self.names.get(id(operation), operation.name)

    def _wrapped(self, call: Call) -> Keras3LayerWrapper:
        """A wrapper for a call's layer or operation."""
        operation = call.operation
        if is_own(operation):
            check_can_be_made_again(operation)
        self.layers[id(operation)] = wrap(call)
        return self.layers[id(operation)]


def _converting(call: Call) -> str:
    return f"Converting the layer {call.operation.name!r} ({type(call.operation).__name__})"
