from __future__ import annotations

import pytest
from benchmarks import idle


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_connections_are_held_and_counted(installed, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    each, kernel = idle.measure(installed, loop, connections=60)
    assert each.what == f"{loop}: 60 idle connections, each"
    assert each.value > 0  # of the first ones, modules that are loaded late included
    assert each.bound == idle.LOOPS[loop]
    assert kernel.bound is None


def test_slabs_of_this_machine():
    assert idle.read_slabs() > 0
