"""What the creditor's shop is told of its customers' money, by signed webhooks (docs/adr/025)."""
