"""Files that people import (docs/operations.md lists the columns)."""
