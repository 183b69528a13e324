"""`python -m nbreg.cli` is `nbreg`."""

import sys

from nbreg.cli import main

if __name__ == "__main__":
    sys.exit(main())
