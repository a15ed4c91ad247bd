"""Tables, migrations, transactions and wake-ups. SQL is the truth."""
