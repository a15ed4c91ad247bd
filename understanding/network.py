"""The encoder's layers in torch, to be tuned; the app runs them as an ONNX graph (`understanding.graph`)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from understanding.weights import Floats, Weights

_PARTS = ("q", "k", "v", "ao", "fi", "fo")


class _Layer(nn.Module):
    """One layer of BERT, after-norm; without dropout, as a tuning sees each sentence only a few times."""

    def __init__(self, weights: Weights, number: int) -> None:
        super().__init__()
        at, width, inner = f"l{number}.", weights.width, weights.inner
        self.heads = weights.heads
        for part in _PARTS:
            rows, columns = (inner if part == "fi" else width), (inner if part == "fo" else width)
            linear = nn.Linear(columns, rows)
            linear.weight.data = torch.from_numpy(weights.matrix(f"{at}{part}.w", rows, columns))
            linear.bias.data = torch.from_numpy(weights.floats(f"{at}{part}.b", rows))
            self.add_module(part, linear)
        self.aln, self.oln = _norm(weights, at + "aln"), _norm(weights, at + "oln")

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        texts, tokens, width = x.shape
        q, k, v = (
            self.get_submodule(part)(x).view(texts, tokens, self.heads, width // self.heads).transpose(1, 2)
            for part in "qkv"
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        x = self.aln(x + self.get_submodule("ao")(mixed.transpose(1, 2).reshape(texts, tokens, width)))
        return self.oln(x + self.get_submodule("fo")(functional.gelu(self.get_submodule("fi")(x))))


class Network(nn.Module):
    """The layers; the first `fixed` of them, and what lies below, stay as they are."""

    def __init__(self, weights: Weights, fixed: int) -> None:
        super().__init__()
        self.norm = _norm(weights, "emb.ln")
        self.layers = nn.ModuleList(_Layer(weights, number) for number in range(weights.layers))
        self._fixed = fixed
        for part in [self.norm, *self.layers[:fixed]]:
            part.requires_grad_(False)

    def below(self, x: Tensor, mask: Tensor) -> Tensor:
        """What the fixed layers make of embedded tokens, (texts, tokens, width); mask: which of them are text."""
        x = self.norm(x)
        for layer in self.layers[: self._fixed]:
            x = layer(x, mask)
        return x

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """What the other layers make of that: unit vectors, (texts, width)."""
        for layer in self.layers[self._fixed :]:
            x = layer(x, mask)
        part = mask.to(torch.float32)[..., None]
        return functional.normalize((x.float() * part).sum(1) / part.sum(1), dim=-1)


class TunedLayers:
    """A network's tensors under the names that `write_graph` asks for."""

    def __init__(self, weights: Weights, state: dict[str, Tensor]) -> None:
        self.width, self.heads, self.inner = weights.width, weights.heads, weights.inner
        self.layers, self.epsilon = weights.layers, weights.epsilon
        self._state = state

    def matrix(self, name: str, rows: int, columns: int) -> Floats:
        return self._array(name).reshape(rows, columns)

    def floats(self, name: str, *shape: int) -> Floats:
        return self._array(name).reshape(shape)

    def _array(self, name: str) -> Floats:
        place, part, kind = name.split(".")
        owner = "norm" if place == "emb" else f"layers.{place[1:]}.{part}"
        array: Floats = self._state[f"{owner}.{'weight' if kind == 'w' else 'bias'}"].float().cpu().numpy()
        return array


def _norm(weights: Weights, name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(weights.width, weights.epsilon)
    norm.weight.data = torch.from_numpy(weights.floats(name + ".w", weights.width))
    norm.bias.data = torch.from_numpy(weights.floats(name + ".b", weights.width))
    return norm
