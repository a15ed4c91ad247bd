"""How well messages are understood that were never trained on."""
