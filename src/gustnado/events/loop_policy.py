"""A policy of asyncio's that makes event loops in any thread, for programs that rely on it.

asyncio makes an event loop by itself in the main thread only, if at all, and will lose its policies in Python 3.16.
:meth:`IOLoop.current <gustnado.events.loop.IOLoop.current>` makes one in any thread without them.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING

__all__ = ["AnyThreadEventLoopPolicy"]

if TYPE_CHECKING:
    from asyncio import DefaultEventLoopPolicy as BasePolicy
else:
    with warnings.catch_warnings():
        # Naming the class is deprecated since Python 3.14; whoever makes an object of ours is told below.
        warnings.simplefilter("ignore", DeprecationWarning)
        BasePolicy = getattr(asyncio, "DefaultEventLoopPolicy", object)


class AnyThreadEventLoopPolicy(BasePolicy):
    """Makes an event loop in every thread that asks asyncio for one and has none.

    Making such a policy emits a :exc:`DeprecationWarning`: use :func:`asyncio.run`, or
    :func:`asyncio.new_event_loop`, in each thread.
    """

    def __init__(self) -> None:
        super().__init__()
        warnings.warn(
            "AnyThreadEventLoopPolicy is deprecated: use asyncio.run() or asyncio.new_event_loop() in each thread",
            DeprecationWarning,
            stacklevel=2,
        )

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of this thread; it is made where there is none."""
        try:
            return super().get_event_loop()
        except RuntimeError:
            loop = self.new_event_loop()
            self.set_event_loop(loop)
            return loop
