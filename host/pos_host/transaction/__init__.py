"""A request as the host understands it, and the answer made from a decision."""
