"""`python -m danlu`, the same as `danlu`."""

import sys

from danlu.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
