"""``tornado.queues``: queues between coroutines."""

from __future__ import annotations

from gustnado.events.queues import LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull

__all__ = ["LifoQueue", "PriorityQueue", "Queue", "QueueEmpty", "QueueFull"]
