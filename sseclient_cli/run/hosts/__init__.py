"""The machines of a run on a cluster: their clocks, resources and routes."""
