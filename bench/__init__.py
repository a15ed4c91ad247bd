"""Measures turns, memory and starts, beside the stock `rasa init`: `python -m bench` (docs/performance.md)."""
