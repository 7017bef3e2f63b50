"""What people are told without looking."""
