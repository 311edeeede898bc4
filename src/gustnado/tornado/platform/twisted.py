"""``tornado.platform.twisted``: Twisted's reactor on the event loop, and Deferreds in coroutines."""

from __future__ import annotations

from gustnado.events.twisted_reactor import install

__all__ = ["install"]
