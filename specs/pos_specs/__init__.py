"""The wire language: dialects, framing and messages, known to host and terminal alike."""
