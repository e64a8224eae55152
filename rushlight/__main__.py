"""`python -m rushlight script.py`: runs a PyTorch script on rushlight."""

import sys

from rushlight._runner import main

if __name__ == "__main__":
    sys.exit(main())
