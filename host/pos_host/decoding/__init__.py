"""Looking at single messages on the command line: hex to names and back, and the dialects themselves."""
