"""Where the code lies: the model's inputs and the engine's environment are found beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = ROOT / "bot" / "data" / "nlu"
DEMO = ROOT / "demo"
