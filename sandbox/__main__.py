"""`python -m sandbox --home DIR`: the emulated vendors on one address."""

import sys

from sandbox.server import main

sys.exit(main())
