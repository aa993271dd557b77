"""Terminals for tests: each does what it is told by a plain call, and says what came of it."""
