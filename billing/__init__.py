"""What is owed, and how it gets paid: ledger, invoices, payment links, payments, imports."""
