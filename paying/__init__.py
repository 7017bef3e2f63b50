"""Money in motion: transfers and payouts, what a person decides, settling with a client."""
