"""Samples of the target during a run: its process, and series of its Prometheus endpoint, on the run's time axis."""
