"""``python -m toolway``: the same as the command ``toolway``."""

from toolway.cli import main

if __name__ == "__main__":
    main()
