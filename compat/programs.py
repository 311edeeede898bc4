"""All programs, in the order in which they are run."""

from __future__ import annotations

from compat import bokeh, flower, jupyter_server, luigi, prometheus, sockjs_tornado, terminado

__all__ = ["PROGRAMS"]

PROGRAMS = tuple(
    module.PROGRAM for module in (jupyter_server, terminado, bokeh, luigi, flower, prometheus, sockjs_tornado)
)
