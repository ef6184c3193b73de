"""Programs that check the repository itself; ``make lint`` runs them."""
