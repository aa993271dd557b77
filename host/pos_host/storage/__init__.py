"""Where the books are kept: one port, in memory and on SQLite."""
