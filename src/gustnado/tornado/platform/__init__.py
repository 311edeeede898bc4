"""``tornado.platform``: the event loop over asyncio's, in its module ``asyncio``, and Twisted in ``twisted``."""

from __future__ import annotations

__all__: list[str] = []
