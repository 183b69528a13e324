"""`python -m nbreg` is `nbreg`."""

import sys

from nbreg.cli import main

sys.exit(main())
