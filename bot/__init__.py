"""The Rasa project: domain, rules, what runs inside the engine, and the actions that run in the app."""
