"""``python -m gustnado.autoreload``."""

from __future__ import annotations

import sys

from gustnado.autoreload.command import main

if __name__ == "__main__":
    sys.exit(main())
