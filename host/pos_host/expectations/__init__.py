"""What a test expects the host to receive, and what came instead."""
