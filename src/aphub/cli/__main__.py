"""`python -m aphub.cli`."""

from aphub.cli import main

if __name__ == "__main__":
    main()
