"""Bank statements: what came in and what went back, matched with what is owed."""
