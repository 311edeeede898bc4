from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import gustnado


class Installed:
    """An environment that runs what is installed here, and builds nothing."""

    interpreter = Path(sys.executable)
    files = Path(__file__).parent  # for servers of static files

    def build(self, leg):
        return Path(gustnado.__file__).parent.parent


@pytest.fixture
def installed():
    if shutil.which("taskset") is None:
        pytest.skip("servers are pinned to a core by taskset, which is not installed")
    return Installed()
