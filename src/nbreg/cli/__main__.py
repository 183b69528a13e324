"""`python -m nbreg.cli` is `nbreg`."""

import sys

from nbreg.cli import main

sys.exit(main())
