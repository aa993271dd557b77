"""The verbs of `pos-host`, a file for each subject; cli.py puts them together."""
