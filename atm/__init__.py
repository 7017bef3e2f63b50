"""The ATM's side: the way into its database, what is read there, and the connection test."""
