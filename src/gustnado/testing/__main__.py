"""``python -m gustnado.testing package.test_module ...``: runs tests by their names."""

from __future__ import annotations

import sys

from gustnado.testing.runner import run

sys.exit(run(names_required=True))
