"""Methods of payment that have a name in the catalogues (`method.…`); any other is told without one."""

NAMED = frozenset({"ideal", "wero", "bancontact", "creditcard", "banktransfer", "directdebit", "paypal", "sofort"})
