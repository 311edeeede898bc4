"""``tornado.autoreload``: restarts the program when its files change."""

from __future__ import annotations

from gustnado.autoreload import _reload as _reload
from gustnado.autoreload import add_reload_hook, main, start, wait, watch

__all__ = ["add_reload_hook", "main", "start", "wait", "watch"]
