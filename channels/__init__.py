"""One file a channel: a translator between a provider and us, which knows no database and no conversation."""
