"""``python -m catalog`` is ``catalog``."""

from catalog.cli.app import main

if __name__ == "__main__":
    main()
