"""What is owed to whom: shares, plans, and whether everything adds up."""
