"""``python -m gustnado.as_tornado``."""

from __future__ import annotations

import sys

from gustnado.as_tornado.command import main

if __name__ == "__main__":
    sys.exit(main())
