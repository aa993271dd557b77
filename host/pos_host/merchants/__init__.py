"""The merchant's side: who the merchants are, what was agreed with them, and what changes about it."""
