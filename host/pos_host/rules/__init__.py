"""Scenario rules: what makes the host decline, delay, lie and break on command. Loaded with the first rule."""
