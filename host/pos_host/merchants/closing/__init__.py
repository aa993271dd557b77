"""What pauses, ends and begins the work of terminals and merchants."""
