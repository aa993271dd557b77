"""Scenario files: stories of terminals and a host, told step by step and checked (docs/scenarios.md)."""
