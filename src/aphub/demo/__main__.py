"""`python -m aphub.demo`."""

import sys

from aphub.demo import main

if __name__ == "__main__":
    sys.exit(main())
