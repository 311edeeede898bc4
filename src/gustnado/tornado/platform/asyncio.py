"""``tornado.platform.asyncio``: the event loop over asyncio's."""

from __future__ import annotations

from gustnado.events.loop import AsyncIOLoop, AsyncIOMainLoop, BaseAsyncIOLoop
from gustnado.events.loop_policy import AnyThreadEventLoopPolicy
from gustnado.events.selector_thread import AddThreadSelectorEventLoop, SelectorThread
from gustnado.events.yieldables import convert_yielded as to_asyncio_future
from gustnado.events.yieldables import convert_yielded as to_tornado_future

__all__ = [
    "AddThreadSelectorEventLoop",
    "AnyThreadEventLoopPolicy",
    "AsyncIOLoop",
    "AsyncIOMainLoop",
    "BaseAsyncIOLoop",
    "SelectorThread",
    "to_asyncio_future",
    "to_tornado_future",
]
