from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# Prints how many pages had to be fetched anew in ten turns that each hold and free 4 MiB.
TURNS = """
import os, resource
from gustnado.events.allocator import keep_freed_memory

def turn():
    return [bytes([1]) * 65536 for _ in range(64)]

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

{}
turn()
before = faults()
for _ in range(10):
    turn()
print(faults() - before)
"""


def page_faults(statement: str) -> int:
    """Of a process of its own: what this one's allocator has learnt by now is not known."""
    done = subprocess.run(
        [sys.executable, "-c", TURNS.format(statement)], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc learns")
def test_what_is_freed_on_a_turn_is_used_again_on_the_next():
    assert page_faults("") > 10 * 500
    assert page_faults("keep_freed_memory()") < 100
