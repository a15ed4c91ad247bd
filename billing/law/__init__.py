"""What the law lets a creditor charge to somebody who pays late: dated tables with their sources, and pure functions.

A figure is never a bare number in a function: it stands in a table with the day from which it holds. A change of the
law is a new row.
"""

from billing.law import be, nl
from billing.law.letter import Kind, Letter
from billing.law.rates import Days, Interest, Period, TooOld

__all__ = ["Days", "Interest", "Kind", "Letter", "Period", "TooOld", "be", "nl"]
