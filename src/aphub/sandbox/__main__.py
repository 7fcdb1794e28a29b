"""`python -m aphub.sandbox`."""

import sys

from aphub.sandbox import main

if __name__ == "__main__":
    sys.exit(main())
