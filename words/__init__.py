"""The server's sentences with their codes, so that a page can say them in its own language."""
