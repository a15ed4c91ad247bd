"""The words that everyone uses: no I/O, no imports from the other packages."""
