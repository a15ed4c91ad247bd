"""`python -m understanding.second DATA OUT --kept PLACE`: fits the second opinion on care (`understanding.opinion`).

It is the head of a whole model on the encoder as it comes, which is trained in PLACE: minutes the first time, since
every sentence is encoded; later only new ones are. No torch. After new sentences the old head still serves; a new one
knows them too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from understanding.head import Head
from understanding.model import MODEL
from understanding.opinion import OPINION, Opinion
from understanding.training import is_trained, train


def fit(data_dir: Path, out: Path, kept: Path) -> None:
    """Write `opinion.npz` into out, 0.1 MB; kept: where the model on the encoder as it comes lies, or is trained."""
    nowhere = kept / "tuned"
    if not is_trained(data_dir, kept, tuned=nowhere):
        train(data_dir, kept, tuned=nowhere)
    with np.load(kept / MODEL, allow_pickle=False) as file:
        opinion = Opinion(file["center"], float(file["scale"]), Head.from_arrays(file, "intents"))
    np.savez(out / OPINION, **opinion.arrays())  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m understanding.second", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path, help="where the tuned layers lie")
    parser.add_argument("--kept", type=Path, required=True, help="where a model on the encoder as it comes is kept")
    args = parser.parse_args()
    fit(args.data, args.out, args.kept)


if __name__ == "__main__":
    main()
