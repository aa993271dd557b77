"""`python -m pos_terminal` is `pos-terminal`."""

from pos_terminal.cli import main

if __name__ == "__main__":
    main()
