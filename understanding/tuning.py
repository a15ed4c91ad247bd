"""Tuning: the encoder's twelve layers learn our intents; needs torch and runs by hand (`make tune`), never in the app.

One sentence in ten is held out, always the same ones (`understanding.seen`): what is said about the tuned encoder is
measured on those, and the model's temperature and thresholds are set on them. Word embeddings stay as they are.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from understanding import examples
from understanding.care import is_care
from understanding.encoder import GRAPH
from understanding.examples import Example
from understanding.graph import write_graph
from understanding.head import fit
from understanding.seen import SEEN, held_out, key, write_seen
from understanding.text import readable
from understanding.tokens import Unigram
from understanding.weights import Floats, Weights, packed_file

_RATE = 1e-4
_HEAD_RATE = 1e-3
_WARM = 0.1  # of the steps
_DECAY = 0.01
_DROPOUT = 0.1
_SMOOTHING = 0.05
_CARE = 0.5  # the weight of "does it need care?" beside "what is it?"
_BALANCE = 0.5  # as the head's own fit: 0 counts every sentence alike, 1 every intent alike
_PENALTY = 1e-2
_LONGEST = 80  # tokens
_BATCH = 640  # tokens, padding included
_POOL = 2_048  # sentences whose lengths are sorted together
_FIRST = 4_000  # sentences that the first head is fitted to
_PARTS = ("q", "k", "v", "ao", "fi", "fo")
_log = logging.getLogger(__name__)


class _Layer(nn.Module):
    """One layer of BERT, after-norm, with dropout where BERT has it."""

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
        mixed = self.get_submodule("ao")(mixed.transpose(1, 2).reshape(texts, tokens, width))
        x = self.aln(x + functional.dropout(mixed, _DROPOUT, self.training))
        hidden = self.get_submodule("fo")(functional.gelu(self.get_submodule("fi")(x)))
        return self.oln(x + functional.dropout(hidden, _DROPOUT, self.training))


class _Network(nn.Module):
    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.norm = _norm(weights, "emb.ln")
        self.layers = nn.ModuleList(_Layer(weights, number) for number in range(weights.layers))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Embedded tokens (texts, tokens, width) and which of them are text, to unit vectors."""
        x = self.norm(x)
        for layer in self.layers:
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


class _Texts:
    """The texts' tokens, embedded batch by batch."""

    def __init__(self, weights: Weights, texts: Sequence[str]) -> None:
        tokenize = Unigram(weights)
        self._weights = weights
        self._tokens = [tokenize(f"query: {readable(text)}")[:_LONGEST] for text in texts]
        self.lengths = np.array([len(tokens) for tokens in self._tokens])

    def batches(self, dice: np.random.Generator) -> list[npt.NDArray[np.int64]]:
        """All texts once, in batches of like lengths and random order."""
        order = dice.permutation(len(self._tokens))
        found: list[npt.NDArray[np.int64]] = []
        for start in range(0, len(order), _POOL):
            pool = order[start : start + _POOL]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            first = 0
            for last in range(1, len(pool) + 1):
                if last == len(pool) or (last + 1 - first) * self.lengths[pool[last]] > _BATCH:
                    found.append(pool[first:last])
                    first = last
        return [found[place] for place in dice.permutation(len(found))]

    def embed(self, places: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        longest = int(self.lengths[places].max())
        x = torch.zeros(len(places), longest, self._weights.width)
        mask = torch.zeros(len(places), longest, dtype=torch.bool)
        for row, place in enumerate(places):
            tokens = self._tokens[place]
            x[row, : len(tokens)] = torch.from_numpy(self._weights.embed(tokens))
            mask[row, : len(tokens)] = True
        return x, mask


class _Judge(nn.Module):
    """A head on centred vectors, fitted to the untuned ones first: a random one would spoil the layers."""

    def __init__(self, vectors: Floats, intents: Sequence[str]) -> None:
        super().__init__()
        center = vectors.mean(axis=0)
        scale = np.float32(1 / (vectors - center).std())
        head = fit((vectors - center) * scale, intents, _PENALTY, _BALANCE)
        self.names = head.names
        self.register_buffer("center", torch.from_numpy(center))
        self.register_buffer("scale", torch.tensor(scale))
        self.linear = nn.Linear(*head.weights.shape)
        self.linear.weight.data = torch.from_numpy(head.weights.T.copy())
        self.linear.bias.data = torch.from_numpy(head.bias)
        self.register_buffer("care", torch.tensor([is_care(name) for name in self.names]))

    def forward(self, vectors: Tensor) -> Tensor:
        scores: Tensor = self.linear((vectors - self.center) * self.scale)
        return scores

    def loss(self, vectors: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        scores = self(vectors)
        intents = functional.cross_entropy(scores, truth, label_smoothing=_SMOOTHING, reduction="none")
        odds = scores[:, self.care].logsumexp(1) - scores[:, ~self.care].logsumexp(1)
        wanted = self.care[truth].float() * (1 - _SMOOTHING) + _SMOOTHING / 2
        care = functional.binary_cross_entropy_with_logits(odds, wanted, reduction="none")
        return ((intents + _CARE * care) * weight).mean()


def tune(data_dir: Path, out: Path, kept: Path, epochs: int, earlier: Path | None) -> None:
    """Tune on data_dir's sentences, write `e5.onnx`, `seen.npy` and `card.json` into out; checkpoints go to kept.

    earlier: a checkpoint to start from. What its training saw counts as seen.
    """
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sentences = examples.read(data_dir)
    taught = [sentence for sentence in sentences if not held_out(sentence.text)]
    weights = Weights(packed_file())
    network = _Network(weights).to(device)
    history: list[dict[str, float]] = []
    seen: set[int] = set()
    if earlier:
        before = torch.load(earlier, weights_only=True)
        network.load_state_dict(before["layers"])
        history, seen = before["history"], set(before["seen"])
    seen |= {key(sentence.text) for sentence in taught}
    _log.info("%d sentences, %d to learn from, on %s", len(sentences), len(taught), device)
    texts, others = _Texts(weights, [s.text for s in taught]), [s for s in sentences if held_out(s.text)]
    unseen = _Texts(weights, [s.text for s in others])
    began = time.monotonic()
    judge = _first_judge(network, weights, taught, device)
    _log.info("head fitted after %.0f s", time.monotonic() - began)
    dice = np.random.default_rng(len(history))
    plan = [texts.batches(dice) for _ in range(epochs)]
    steps = _Steps(network, judge, sum(map(len, plan)))
    truth, weight = _truth(judge.names, taught)
    for number, batches in enumerate(plan, 1):
        network.train()
        total = 0.0
        for done, places in enumerate(batches, 1):
            x, mask = (tensor.to(device) for tensor in texts.embed(places))
            with torch.autocast(device.type, torch.bfloat16):
                vectors = network(x, mask)
            loss = judge.loss(vectors, truth[places].to(device), weight[places].to(device))
            steps.take(loss)
            total += float(loss)
            if done % 20 == 0:
                _log.info("%d/%d loss %.3f, %.0f s", done, len(batches), total / done, time.monotonic() - began)
        score = _score(network, judge, unseen, others)
        _log.info(
            "epoch %d: loss %.3f, held out: %s, %.0f s", number, total / len(batches), score, time.monotonic() - began
        )
        state = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
        past = [
            *history,
            {"epochs": number, "of": epochs, "sentences": len(taught), "loss": round(total / len(batches), 4)},
        ]
        kept.mkdir(parents=True, exist_ok=True)
        torch.save({"layers": state, "history": past, "seen": sorted(seen)}, kept / f"epoch{number}.pt")
    _write(out, weights, state, past, seen, score)


class _Steps:
    """AdamW, one cycle: up over a tenth of the steps, then down to nothing."""

    def __init__(self, network: nn.Module, judge: nn.Module, count: int) -> None:
        self._parameters = [*network.parameters(), *judge.parameters()]
        groups = [
            {"params": list(network.parameters()), "lr": _RATE},
            {"params": list(judge.parameters()), "lr": _HEAD_RATE},
        ]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=_DECAY, fused=True)
        up = max(1, round(_WARM * count))

        def rate(step: int) -> float:
            return (step + 1) / up if step < up else 0.5 + 0.5 * math.cos(math.pi * (step - up) / max(1, count - up))

        self._rates = torch.optim.lr_scheduler.LambdaLR(self._optimizer, rate)

    def take(self, loss: Tensor) -> None:
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimizer.step()
        self._rates.step()


def _norm(weights: Weights, name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(weights.width, weights.epsilon)
    norm.weight.data = torch.from_numpy(weights.floats(name + ".w", weights.width))
    norm.bias.data = torch.from_numpy(weights.floats(name + ".b", weights.width))
    return norm


def _first_judge(network: _Network, weights: Weights, taught: Sequence[Example], device: torch.device) -> _Judge:
    """The head of a sample in which every intent of `taught` is."""
    order = np.random.default_rng(0).permutation(len(taught))
    first = {taught[place].intent: place for place in order}
    sample = [taught[place] for place in {*first.values(), *order[:_FIRST]}]
    texts = _Texts(weights, [sentence.text for sentence in sample])
    return _Judge(_vectors(network, texts, device), [sentence.intent for sentence in sample]).to(device)


@torch.no_grad()
def _vectors(network: _Network, texts: _Texts, device: torch.device) -> Floats:
    network.eval()
    vectors = np.zeros((len(texts.lengths), network.norm.normalized_shape[0]), np.float32)
    for places in texts.batches(np.random.default_rng(0)):
        x, mask = (tensor.to(device) for tensor in texts.embed(places))
        with torch.autocast(device.type, torch.bfloat16):
            vectors[places] = network(x, mask).float().cpu().numpy()
    return vectors


@torch.no_grad()
def _score(network: _Network, judge: _Judge, texts: _Texts, sentences: Sequence[Example]) -> dict[str, float]:
    """How many intents the tuning's own head gets right among unseen sentences: a sign of life, not the report."""
    device = judge.linear.weight.device
    scores = judge(torch.from_numpy(_vectors(network, texts, device)).to(device)).cpu()
    said = [judge.names[int(place)] for place in scores.argmax(1)]
    truth = [sentence.intent for sentence in sentences]
    same = [a == b for a, b in zip(said, truth, strict=True)]
    return {"sentences": len(same), "accuracy": round(sum(same) / max(1, len(same)), 4)}


def _truth(names: Sequence[str], taught: Sequence[Example]) -> tuple[Tensor, Tensor]:
    numbers = np.array([names.index(sentence.intent) for sentence in taught])
    weight = (1.0 / np.bincount(numbers, minlength=len(names))[numbers]) ** _BALANCE
    return torch.from_numpy(numbers), torch.from_numpy((weight / weight.mean()).astype(np.float32))


def _write(
    out: Path,
    weights: Weights,
    state: dict[str, Tensor],
    history: list[dict[str, float]],
    seen: set[int],
    score: dict[str, float],
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_graph(TunedLayers(weights, state), out / GRAPH)
    write_seen(out / SEEN, seen)
    card = {"runs": history, "held_out": score}
    (out / "card.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kept", type=Path, required=True, help="where each epoch's checkpoint goes")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--earlier", type=Path, help="a checkpoint to start from")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(args.threads)
    tune(args.data, args.out, args.kept, args.epochs, args.earlier)


if __name__ == "__main__":
    main()
