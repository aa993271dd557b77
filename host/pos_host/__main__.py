"""`python -m pos_host`."""

from pos_host.cli import main

main()
