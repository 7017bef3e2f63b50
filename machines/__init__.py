"""The machines: what they are called, what went out of each, and the cash that should be there."""
