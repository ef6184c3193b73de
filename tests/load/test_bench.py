"""What waits for the choice of fields."""
