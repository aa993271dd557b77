"""Holds a terminal against the rules of its protocol: faults played to it in order, what it does watched and judged."""
