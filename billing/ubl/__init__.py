"""Invoices and credit notes as UBL 2.1 (EN 16931; Peppol BIS Billing 3, NLCIUS): read, and recomputed. No I/O."""
