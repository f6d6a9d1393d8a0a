"""``python -m catalog`` is ``catalog``."""

from catalog.cli.main import main

if __name__ == "__main__":
    main()
