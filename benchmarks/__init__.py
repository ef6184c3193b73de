"""What `sse bench` costs, beside the least that reading event streams can cost, and beside other readers."""
