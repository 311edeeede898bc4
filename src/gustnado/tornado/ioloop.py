"""``tornado.ioloop``: the event loop."""

from __future__ import annotations

from gustnado.events.loop import IOLoop
from gustnado.events.periodic import PeriodicCallback
from gustnado.util import Configurable, TimeoutError, import_object

__all__ = [
    "Configurable",
    "IOLoop",
    "PeriodicCallback",
    "TimeoutError",
    "import_object",
]
