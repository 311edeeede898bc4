from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import UsageError
from gustnado.events.lag_probe import BOUNDS, LagProbe
from gustnado.events.loop import IOLoop


class LateLoop(asyncio.SelectorEventLoop):
    """A loop whose clock is set by hand: each timer runs when it is due, and by ``lags`` late."""

    def __init__(self, lags):
        super().__init__()
        self.now = 100.0
        self.lags = iter(lags)

    def time(self):
        return self.now

    def call_at(self, when, callback, *args, context=None):
        lag = next(self.lags, None)
        if lag is None:
            self.stop()
            return super().call_at(when + 1, callback, *args, context=context)
        self.now = when + lag
        return super().call_at(self.now, callback, *args, context=context)


@pytest.fixture
def measured():
    """``measured(lags, **options)``: a probe that has measured them."""
    loops = []

    def measure(lags, **options):
        loop = LateLoop(lags)
        loops.append(IOLoop(asyncio_loop=loop, make_current=False))
        probe = LagProbe(io_loop=loops[-1], **options)
        probe.start()
        loops[-1].start()
        return probe

    yield measure
    for loop in loops:
        loop.close()


def test_the_last_the_largest_and_the_sum(measured):
    probe = measured([0.25, 0.5, 0.0, 0.125], threshold=None)
    assert (probe.last, probe.max, probe.total, probe.count) == (0.125, 0.5, 0.875, 4)


def test_a_timer_that_is_early_is_not_late(measured):
    probe = measured([-0.001], threshold=None)
    assert (probe.last, probe.max, probe.total, probe.count) == (0, 0, 0, 1)


def test_the_histogram_counts_up_to_each_bound(measured):
    probe = measured([0.0, 0.0, 0.0078125, 0.5, 0.25, 60], threshold=None)
    histogram = probe.histogram()
    assert list(histogram) == [*BOUNDS, math.inf]
    assert histogram[0.001] == 2
    assert histogram[0.01] == 3
    assert histogram[0.25] == 4
    assert histogram[0.5] == histogram[10.0] == 5
    assert histogram[math.inf] == 6


def test_quantiles_are_bounds_and_at_most_the_largest(measured):
    probe = measured([0.0] * 98 + [0.0625, 0.75], threshold=None)
    assert probe.quantile(0.5) == 0.001
    assert probe.quantile(0.99) == 0.1
    assert probe.quantile(1) == 0.75
    assert LagProbe().quantile(0.99) == 0


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_quantile_is_not_exceeded_by_its_part(lags, part):
    probe = LagProbe(threshold=None)
    for lag in lags:
        probe._record(lag)
    found = probe.quantile(part)
    assert sum(lag <= found for lag in lags) >= part * len(lags) * (1 - 1e-9)
    assert found <= max(lags)
    assert list(probe.histogram().values())[-1] == len(lags)


def test_it_warns_once_until_it_was_better(measured, expect_log):
    lags = [0.0, 0.25, 0.5, 0.125, 0.75]
    with expect_log("gustnado.general", r"event loop lag: 0.[27]50 s, over the threshold of 0.2 s", count=2):
        measured(lags, threshold=0.2)


def test_it_measures_a_real_loop(everywhere):
    async def main():
        probe = LagProbe(interval=0.001, threshold=None)
        probe.start()
        probe.start()
        assert probe.io_loop is IOLoop.current()
        while probe.count < 3:
            await asyncio.sleep(0.001)
        assert 0 <= probe.last <= probe.max <= probe.total
        probe.stop()
        probe.stop()
        count = probe.count
        await asyncio.sleep(0.01)
        assert probe.count == count

    everywhere(main())


def test_it_can_be_reset_and_started_again(everywhere):
    async def main():
        probe = LagProbe(interval=0.001, threshold=None)
        for _ in range(2):
            probe.start()
            while not probe.count:
                await asyncio.sleep(0.001)
            probe.stop()
            probe.reset()
            assert (probe.last, probe.max, probe.total, probe.count) == (0, 0, 0, 0)
            assert set(probe.histogram().values()) == {0}

    everywhere(main())


@pytest.mark.parametrize("interval", [0, -1, math.nan, math.inf])
def test_a_bad_interval_is_refused(interval):
    with pytest.raises(ValueError, match="interval must be positive"):
        LagProbe(interval)


@pytest.mark.parametrize("threshold", [0, -1, math.nan])
def test_a_bad_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold must be positive"):
        LagProbe(threshold=threshold)


@pytest.mark.parametrize("part", [-0.1, 1.1, math.nan])
def test_a_bad_part_is_refused(part):
    with pytest.raises(ValueError, match="must be 0 to 1"):
        LagProbe().quantile(part)


def test_a_closed_loop_is_refused():
    loop = IOLoop(make_current=False)
    loop.close()
    with pytest.raises(UsageError, match="the loop is closed"):
        LagProbe(io_loop=loop).start()
