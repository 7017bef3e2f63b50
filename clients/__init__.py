"""What happens to a client: changes, statements, and the routes of operator and client."""
