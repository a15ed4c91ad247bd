"""Who may hear what, and who answers: inbox, turns, outbox, identity, holds and opt-outs."""
