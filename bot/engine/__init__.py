"""What runs inside Rasa, in the engine's own environment (Python 3.10): nothing here may import the app's packages."""
