"""How well questions to the demo's shop are answered, a third of which it cannot answer."""
