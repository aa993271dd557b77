"""The HTTP side of the host."""
