"""How late the event loop is: the one number that tells whether something blocks it.

A timer is set again and again; how much later than asked for it runs is the *lag*, which every other callback
of the program suffers as well. What blocks the loop is told by :mod:`gustnado.events.slow_callbacks`.

::

    probe = LagProbe(threshold=0.1)
    probe.start()
    ...
    log.info("lag: now %.3f s, 99 %% below %.3f s, at most %.3f s", probe.last, probe.quantile(0.99), probe.max)
"""

from __future__ import annotations

import asyncio
import bisect
import math
from itertools import accumulate

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.log import gen_log

__all__ = ["BOUNDS", "LagProbe"]

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets, in seconds (those of Prometheus' clients, and the milliseconds)."""


class LagProbe:
    """Measures the lag of a loop, at the cost of one timer every ``interval``.

    It warns once when the lag passes ``threshold``, and again only when it has been below in between.

    :param interval: seconds from one measurement to the next.
    :param threshold: seconds of lag that are worth a warning; ``None`` for no warnings.
    :param io_loop: the loop to measure; by default the one that is current at :meth:`start`.
    :raises ValueError: where one of the times is not positive.

    :ivar last: the lag that was measured last, in seconds.
    :ivar max: the largest.
    :ivar count: how many measurements there were.
    :ivar total: the sum of all lags, in seconds.
    """

    def __init__(
        self, interval: float = 0.5, threshold: float | None = 0.1, io_loop: IOLoop | None = None
    ) -> None:
        if not 0 < interval < math.inf:
            raise ValueError(f"LagProbe: interval must be positive, not {interval}")
        if threshold is not None and not threshold > 0:
            raise ValueError(f"LagProbe: threshold must be positive, not {threshold}")
        self.interval = interval
        self.threshold = threshold
        self.io_loop = io_loop
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False
        self.reset()

    def start(self) -> None:
        """Begin to measure. Starting again does nothing.

        :raises gustnado.errors.UsageError: where the loop is closed.
        """
        if self._timer is not None:
            return
        if self.io_loop is None:
            self.io_loop = IOLoop.current()
        loop = self.io_loop.asyncio_loop
        if loop.is_closed():
            raise UsageError("LagProbe.start: the loop is closed")
        self._set_timer(loop)

    def stop(self) -> None:
        """Stop measuring; what was measured stays. Stopping again does nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def reset(self) -> None:
        """Forget what was measured, as after it was reported."""
        self.last = 0.0
        self.max = 0.0
        self.total = 0.0
        self.count = 0
        self._counts = [0] * (len(BOUNDS) + 1)

    def histogram(self) -> dict[float, int]:
        """Upper bound in seconds -> how many lags were up to it, in rising order; the last is infinity.

        >>> list(LagProbe().histogram())[-1]
        inf
        """
        return dict(zip((*BOUNDS, math.inf), accumulate(self._counts), strict=True))

    def quantile(self, part: float) -> float:
        """Seconds that this part of all lags does not exceed: the upper bound of a bucket, at most :attr:`max`.

        :param part: 0 to 1; 0.99 is the 99th percentile.
        :raises ValueError: where it is not.
        """
        if not 0 <= part <= 1:
            raise ValueError(f"LagProbe.quantile: the part must be 0 to 1, not {part}")
        for bound, up_to in self.histogram().items():
            if up_to >= part * self.count:
                return min(bound, self.max)
        return self.max

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + self.interval
        self._timer = loop.call_at(due, self._measure, loop, due)

    def _measure(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        # Loops round timers to their clock's ticks, so one may be a bit early.
        self._record(max(0.0, loop.time() - due))
        self._set_timer(loop)

    def _record(self, lag: float) -> None:
        self.last = lag
        self.max = max(self.max, lag)
        self.total += lag
        self.count += 1
        self._counts[bisect.bisect_left(BOUNDS, lag)] += 1
        was_late, self._is_late = self._is_late, self.threshold is not None and lag > self.threshold
        if self._is_late and not was_late:
            gen_log.warning("event loop lag: %.3f s, over the threshold of %g s", lag, self.threshold)
