"""``tornado.platform.caresresolver``: names by c-ares."""

from __future__ import annotations

from gustnado.events.cares_resolver import CaresResolver

__all__ = ["CaresResolver"]
