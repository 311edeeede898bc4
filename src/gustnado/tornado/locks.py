"""``tornado.locks``: locks and conditions for coroutines."""

from __future__ import annotations

from gustnado.events.locks import BoundedSemaphore, Condition, Event, Lock, Semaphore

__all__ = ["BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]
