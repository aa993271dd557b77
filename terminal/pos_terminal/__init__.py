"""The terminal: trades against a host and keeps books of its own."""
