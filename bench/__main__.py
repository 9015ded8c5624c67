"""`python -m bench`: the same as `make bench`."""

import sys

from bench.activation import main

if __name__ == "__main__":
    sys.exit(main())
