"""The composition root: settings, wiring, routes, workers and the command line."""
